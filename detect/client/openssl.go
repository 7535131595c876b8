package client

import (
	"bytes"
	"debug/elf"
	"path"
	"regexp"
	"strings"
)

// openssl is the library under a program, as its files tell.
type openssl struct {
	version string // "3.0.19", "1.1.1w"; only "3" or "1.1" where the library's name is all there is
	dir     string // OPENSSLDIR, where the default roots are; "" when unknown
}

var (
	opensslVersion = regexp.MustCompile(`OpenSSL (\d+\.\d+\.\d+[a-z]{0,2}) `)
	opensslDir     = regexp.MustCompile(`OPENSSLDIR: "([^"]+)"`)
)

// opensslOf is the OpenSSL that a Python uses: conda's by its package, else
// that of the library which its _ssl module asks for.
func (s *scan) opensslOf(p *pyEnv) openssl {
	if p.ssl != nil {
		return *p.ssl
	}
	var o openssl
	switch base := s.basePython(p); {
	case s.condaOf(p.path) != "":
		dir := s.condaOf(p.path)
		o = openssl{version: s.prefixes[dir].pkg("openssl"), dir: path.Join(dir, "ssl")}
	case base != p && base != nil:
		o = s.opensslOf(base)
	case s.v.OS == "linux" && base != nil:
		o = s.moduleSSL(p)
	}
	p.ssl = &o
	return o
}

// basePython is the interpreter a virtual environment was made from; nil when
// it is not among those that were found.
func (s *scan) basePython(p *pyEnv) *pyEnv {
	if p.kind != pyVenv {
		return p
	}
	if b := s.pyAt[path.Dir(p.base)]; b != nil && b != p {
		return b
	}
	return s.pyAt[path.Join(p.base, "python"+minorOf(p.version))]
}

// moduleSSL reads which OpenSSL the _ssl module of an interpreter is linked with.
func (s *scan) moduleSSL(p *pyEnv) openssl {
	minor := minorOf(p.version)
	for _, lib := range []string{"lib", "lib64"} {
		dir := path.Join(p.prefix, lib, "python"+minor, "lib-dynload")
		for _, n := range s.readDir(dir) {
			if !strings.HasPrefix(n, "_ssl.") || !strings.HasSuffix(n, ".so") {
				continue
			}
			data, err := s.v.Files.ReadFile(path.Join(dir, n))
			if err != nil {
				return openssl{}
			}
			return s.linked(data, path.Join(p.prefix, lib))
		}
	}
	return openssl{}
}

// libDirs are where the loader looks, without what ld.so.conf adds.
var libDirs = []string{
	"/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib/aarch64-linux-gnu",
	"/usr/lib64", "/lib64", "/usr/lib", "/lib", "/usr/local/lib64", "/usr/local/lib", "/usr/local/ssl/lib",
}

// linked finds the libcrypto that an ELF module asks for.
func (s *scan) linked(module []byte, own string) openssl {
	f, err := elf.NewFile(bytes.NewReader(module))
	if err != nil {
		return openssl{}
	}
	libs, err := f.ImportedLibraries()
	if err != nil {
		return openssl{}
	}
	for _, lib := range libs {
		suffix, ok := strings.CutPrefix(lib, "libcrypto.so.")
		if !ok {
			continue
		}
		dirs := []string{own}
		for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
			if paths, err := f.DynString(tag); err == nil {
				for _, p := range paths {
					dirs = append(strings.Split(p, ":"), dirs...)
				}
			}
		}
		for _, d := range append(dirs, libDirs...) {
			if file := path.Join(d, lib); path.IsAbs(d) && s.isFile(file) {
				return s.crypto(file, suffix)
			}
		}
		return openssl{version: suffix}
	}
	return openssl{}
}

// crypto reads version and OPENSSLDIR out of a libcrypto, once for each file.
func (s *scan) crypto(file, suffix string) openssl {
	if real, err := s.v.Files.Resolve(file); err == nil {
		file = real
	}
	if o, ok := s.libs[file]; ok {
		return o
	}
	o := openssl{version: suffix}
	if data, err := s.v.Files.ReadFile(file); err == nil {
		if m := opensslVersion.FindSubmatch(near(data, "OpenSSL ")); m != nil {
			o.version = string(m[1])
		}
		if m := opensslDir.FindSubmatch(near(data, "OPENSSLDIR: ")); m != nil {
			o.dir = string(m[1])
		}
	}
	s.libs[file] = o
	return o
}

// near is what surrounds the occurrences of a word that a pattern is then
// looked for in: a regular expression over five megabytes would cost more than
// the rest of the diagnosis.
func near(data []byte, word string) []byte {
	var out []byte
	for at := 0; len(out) < 1<<16; {
		i := bytes.Index(data[at:], []byte(word))
		if i < 0 {
			break
		}
		at += i
		out = append(append(out, data[at:min(at+200, len(data))]...), '\n')
		at += len(word)
	}
	return out
}
