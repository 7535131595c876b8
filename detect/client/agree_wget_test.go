package client

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// wget prints no settings: whether it takes a server that only one bundle
// vouches for tells what it has read.
func TestAgreesWithWget(t *testing.T) {
	wget := program(t, "wget")
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	good := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	lines := []string{
		"check_certificate = off\n", "check-certificate=no\n", "checkcertificate = 0\n", "CHECK_CERTIFICATE = Off\n", "check_certificate = quiet\n",
		"check_certificate = on\n", "check_certificate = yes\n", "check_certificate = 1\n", "# check_certificate = off\n", "timeout = 3\n",
		"ca_certificate = @/good.pem\n", "ca-certificate=@/good.pem\n", "CaCertificate = ~/good.pem\n", "ca_certificate = @/other.pem\n", "ca_certificate = @/missing.pem\n",
	}
	r := rand.New(rand.NewPCG(13, 14))
	agree(t, configurationsIn(t), func(int) string {
		dir := home(t, map[string]string{"good.pem": good, "other.pem": "x"})
		draw := func() string {
			body := ""
			for range r.IntN(4) {
				body += strings.ReplaceAll(pick(r, lines...), "@", dir)
			}
			return body
		}
		own, named := draw(), draw()
		write(t, filepath.Join(dir, ".wgetrc"), own)
		write(t, filepath.Join(dir, "named"), named)
		env := []string{"SSL_CERT_FILE=" + dir + "/good.pem"} // for OpenSSL alone
		if pick(r, true, false) {
			env = append(env, "WGETRC="+dir+"/named")
		}
		cmd := exec.Command(wget, "-q", "-O", "-", "--tries=1", "--no-hsts", "--no-proxy", server.URL)
		cmd.Dir, cmd.Env = dir, append([]string{"HOME=" + dir, "PATH=/usr/bin:/bin"}, env...)
		_ = cmd.Run()
		accepts := cmd.ProcessState.ExitCode() == 8 // the server's 404; 5 is a refusal
		c := one(t, seen(t, dir, env...), "wget", "")
		if expected := c.Verify == "off" || c.Trust.Path == dir+"/good.pem"; expected != accepts {
			t.Errorf("wget accepts=%v (%d), we say verify=%s %s (by %s)\n.wgetrc: %q, named: %q, %q", accepts, cmd.ProcessState.ExitCode(), c.Verify, c.Trust.Path, c.Trust.SetBy, own, named, env)
		}
		return fmt.Sprint(c.Verify, " ", strings.TrimPrefix(c.Trust.Path, dir), " ", accepts)
	})
}
