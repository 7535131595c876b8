//go:build linux

package lab

import (
	"slices"
	"strings"
	"testing"
)

// ran is what everything that is planted here writes who it runs as to.
const ran = "/tmp/ran"

// plant lays out what an ordinary user (lin) can prepare for an administrator
// who runs trustfix: programs, modules, configuration that names programs,
// links, and files that are not what they seem.
func (s *Sandbox) plant() {
	const (
		program = "#!/bin/sh\nid -u >>" + ran + "\nexit 1\n"
		module  = "import os\nopen('" + ran + "', 'a').write('%d\\n' % os.getuid())\n"
		project = linHome + "/proj"
		evil    = linHome + "/evil"
	)
	s.Must(": >" + ran + "; chmod 666 " + ran)
	for _, p := range []string{"curl", "git", "wget", "apt-get", "update-ca-certificates", "python3", "npm", "node", "getent", "openssl", "timedatectl"} {
		s.WriteAs(evil+"/bin/"+p, program)
		s.WriteAs(linHome+"/.local/bin/"+p, program)
	}
	// A prefix of conda's, and an environment, whose programs are lin's.
	s.WriteAs(linHome+"/.conda/environments.txt", evil+"\n/etc\n/\n../../..\n")
	s.WriteAs(evil+"/conda-meta/history", "")
	s.WriteAs(evil+"/conda-meta/python-3.11.2-0.json", "{}")
	s.WriteAs(evil+"/bin/python", program)
	s.WriteAs(evil+"/bin/conda", program)
	s.WriteAs(linHome+"/venv/pyvenv.cfg", "home = "+evil+"/bin\nversion = 3.11.2\n")
	s.WriteAs(linHome+"/venv/bin/python", program)
	// A module that Pythons load at their start, by a variable and by a .pth file of root's.
	s.WriteAs(project+"/sitecustomize.py", module)
	s.WriteAs(project+"/requests.py", module)
	s.Write("/usr/local/lib/python3.11/dist-packages/easy-install.pth", project+"\n")
	// Settings that name programs.
	s.WriteAs(linHome+"/.gitconfig", "[http]\n\tsslVerify = false\n[include]\n\tpath = "+evil+"/gitconfig\n")
	s.WriteAs(evil+"/gitconfig", "[credential]\n\thelper = !id -u >>"+ran+"\n[core]\n\tfsmonitor = "+evil+"/bin/git\n\tsshCommand = "+evil+"/bin/git\n[protocol \"ext\"]\n\tallow = always\n[url \"ext::"+evil+"/bin/git \"]\n\tinsteadOf = https://\n")
	s.WriteAs(project+"/.git/config", "[core]\n\trepositoryformatversion = 0\n\tfsmonitor = "+evil+"/bin/git\n[protocol \"ext\"]\n\tallow = always\n[url \"ext::"+evil+"/bin/git \"]\n\tinsteadOf = https://\n")
	s.WriteAs(project+"/.git/HEAD", "ref: refs/heads/main\n")
	s.WriteAs(project+"/.git/objects/x", "")
	s.WriteAs(project+"/.git/refs/x", "")
	s.WriteAs(project+"/package.json", "{}")
	s.WriteAs(project+"/.npmrc", "strict-ssl=false\nonload-script="+evil+"/x.js\nnode-options=--require "+evil+"/x.js\nscript-shell="+evil+"/bin/npm\n")
	s.WriteAs(project+"/node_modules/.bin/npm", program)
	s.WriteAs(evil+"/x.js", "require('fs').appendFileSync('"+ran+"', process.getuid() + '\\n')\n")
	// Names that lead to what is not lin's.
	s.Write("/root/pip/pip.conf", "[global]\ntrusted-host = pypi.org\n")
	s.Write("/etc/app/app.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
	s.Write("/etc/app/rc", "insecure\n")
	s.Must("chmod 700 /root; chgrp 1 /etc/app/app.key; chmod 640 /etc/app/app.key; ln /etc/app/rc " + linHome + "/.curlrc; mkfifo " + linHome + "/.wgetrc" +
		"; ln -s /root " + linHome + "/.config; ln -s /etc/app/rc " + linHome + "/.netrc; ln -s /dev/zero " + linHome + "/.npmrc")
	s.WriteAs(linHome+"/.condarc", "ssl_verify: false\nclient_ssl_cert_key: /etc/app/app.key\nclient_ssl_cert: /etc/app/app.key\n")
	s.Must("chmod -R u+x " + evil + "/bin " + linHome + "/.local/bin " + linHome + "/venv/bin " + project + "/node_modules/.bin; chown -h lin: " + linHome + "/.config " + linHome + "/.netrc " + linHome + "/.npmrc " + linHome + "/.wgetrc")
}

// Nothing that lin can prepare makes an administrator's trustfix run lin's
// code as root, or change or reveal what is not lin's.
func TestPlantedByAUser(t *testing.T) {
	t.Parallel()
	hostile := []string{
		"PATH=" + linHome + "/evil/bin:" + linHome + "/.local/bin:.:" + sandboxPath, "PYTHONPATH=" + linHome + "/proj", "PYTHONSTARTUP=" + linHome + "/proj/requests.py",
		"NODE_OPTIONS=--require " + linHome + "/evil/x.js", "NODE_PATH=" + linHome + "/evil", "BASH_ENV=" + linHome + "/evil/bin/curl", "ENV=" + linHome + "/evil/bin/curl",
		"GIT_SSH_COMMAND=" + linHome + "/evil/bin/git", "GIT_ASKPASS=" + linHome + "/evil/bin/git", "GIT_EXEC_PATH=" + linHome + "/evil/bin", "LD_PRELOAD=" + linHome + "/evil/x.so",
		"CONDA_PREFIX=" + linHome + "/evil", "CONDA_EXE=" + linHome + "/evil/bin/conda", "VIRTUAL_ENV=" + linHome + "/venv", "JAVA_HOME=" + linHome + "/evil", "OPENSSL_CONF=" + linHome + "/evil/openssl.cnf",
	}
	for _, c := range []struct {
		name string
		env  []string
		dir  string
	}{
		{"sudo, in a home", []string{"SUDO_USER=lin", "SUDO_UID=20001", "SUDO_GID=20001"}, linHome},
		{"sudo, in a project", []string{"SUDO_USER=lin", "SUDO_UID=20001", "SUDO_GID=20001"}, linHome + "/proj"},
		{"root in a project", nil, linHome + "/proj"},
		{"root with --user", nil, "/root"},
	} {
		t.Run(strings.ReplaceAll(c.name, ",", ""), func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{})
			s.plant()
			before := s.Snapshot()
			for _, args := range [][]string{{"--json", "--dry-run"}, {"--apply", "--json"}, {"clients"}, {"rollback"}} {
				if c.env == nil && c.dir == "/root" {
					args = append(args, "--user", "lin")
				}
				cmd := TrustfixCmd(args...)
				cmd.Dir, cmd.Env = c.dir, append(slices.Clone(hostile), c.env...)
				r := s.Exec(cmd)
				// 4: the hard link to root's file was refused.
				if !slices.Contains([]int{0, 3, 4}, r.Code) || strings.Contains(r.Stderr, "goroutine ") {
					t.Errorf("trustfix %v: %s", args, r)
				}
				if strings.Contains(r.Stdout+r.Stderr, "AAAA") {
					t.Errorf("trustfix %v shows the key", args)
				}
				if as := strings.Fields(s.Read(ran)); slices.Contains(as, "0") {
					t.Fatalf("trustfix %v: what was planted ran as root: %v\n%s", args, as, r)
				}
				for _, d := range s.Changes(before, "/var/lib/trustfix", ran) {
					if !strings.HasPrefix(d, linHome+"/") || strings.HasPrefix(d, linHome+"/.curlrc") || strings.Contains(d, "-> 0:0") {
						t.Errorf("trustfix %v: not lin's: %s", args, d)
					}
				}
			}
			if d := s.Changes(before, "/var/lib/trustfix", ran); len(d) > 0 {
				t.Errorf("after the rollback:\n%s", strings.Join(d, "\n"))
			}
		})
	}
}

// A tree of another's making: its links lead nowhere but into it, and its
// programs are not run.
func TestHostileRoot(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	const img = "/srv/img"
	s.Write("/etc/pip.conf", "[global]\ntrusted-host = pypi.org\n")
	s.Write(img+"/etc/os-release", "ID=debian\nVERSION_ID=12\n")
	s.Write(img+"/etc/passwd", "root:x:0:0::/root:/bin/sh\nlin:x:20001:20001::/home/lin:/bin/sh\n")
	s.Write(img+"/var/lib/dpkg/status", "Package: ca-certificates\nStatus: install ok installed\n")
	s.Write(img+"/usr/share/ca-certificates/x.crt", s.World.pki.CA("root").PEM())
	s.Write(img+"/etc/ca-certificates.conf", "x.crt\n")
	s.Must(": >" + ran + "; chmod 666 " + ran + "; cd " + img + `
mkdir -p usr/sbin usr/bin bin root home/lin etc/ssl/certs var/lib
for p in update-ca-certificates apt-get apt-cache dpkg getent sh; do printf '#!/bin/sh\necho 0 >>` + ran + `\n' >usr/sbin/$p; cp usr/sbin/$p usr/bin/; done
chmod 755 usr/sbin/* usr/bin/*
ln -s /etc/pip.conf etc/pip.conf
ln -s ../../../../../../etc/pip.conf root/.condarc
ln -s /etc/ssl/certs/ca-certificates.crt home/lin/ca.pem
ln -s ../../../../../../etc/cron.d etc/conda
ln -s /../../../etc/ssl/certs etc/ssl/outside
rm -rf var/lib/trustfix; ln -s /../../var/lib/dpkg var/lib/trustfix
chown -R 20001:20001 .`)
	before := s.Snapshot()
	for _, args := range [][]string{{"--json"}, {"--apply", "--json"}, {"rollback"}} {
		r := s.Trustfix(append([]string{"--root", img}, args...)...)
		if r.Code == 0 && args[0] == "--json" || strings.Contains(r.Stderr, "goroutine ") {
			t.Errorf("%v: %s", args, r)
		}
		for _, d := range s.Changes(before, img) {
			t.Errorf("%v changed outside the tree: %s", args, d)
		}
	}
	if got := s.Read(ran); got != "" {
		t.Errorf("programs of the tree ran: %q", got)
	}
}
