package platform

import (
	"fmt"
	"io"
	"os"
)

// ReadInput reads a file the user named on the command line: a bundle, a
// saved chain, a policy. It is a path of the caller's, not of the examined
// tree; "-" is stdin. At most MaxFile bytes.
func ReadInput(name string, stdin io.Reader) ([]byte, error) {
	if name != "-" {
		// Stat first: opening a FIFO would wait for a writer.
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		if info.IsDir() {
			return nil, fmt.Errorf("%s is a directory", name)
		}
		if !info.Mode().IsRegular() && info.Mode()&os.ModeNamedPipe == 0 {
			return nil, fmt.Errorf("%s is not a regular file", name)
		}
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		stdin = f
	}
	data, err := io.ReadAll(io.LimitReader(stdin, MaxFile+1))
	if err == nil && len(data) > MaxFile {
		err = fmt.Errorf("%s has more than %d bytes", name, MaxFile)
	}
	return data, err
}
