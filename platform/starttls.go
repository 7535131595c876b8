package platform

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// startTLS speaks the few lines of a protocol that lead to TLS. Nothing that
// identifies a user is sent.
func startTLS(conn net.Conn, protocol string) error {
	speak, ok := startProtocols[protocol]
	if !ok {
		return fmt.Errorf("no STARTTLS is known for %q", protocol)
	}
	if err := speak(lines{conn}); err != nil {
		return fmt.Errorf("no STARTTLS (%s): %w", protocol, err)
	}
	return nil
}

var startProtocols = map[string]func(lines) error{
	"smtp": func(l lines) error {
		if err := l.smtp("220"); err != nil {
			return err
		}
		if err := l.send("EHLO localhost"); err != nil {
			return err
		}
		if err := l.smtp("250"); err != nil {
			return err
		}
		if err := l.send("STARTTLS"); err != nil {
			return err
		}
		return l.smtp("220")
	},
	"imap": func(l lines) error {
		if err := l.expect("* "); err != nil {
			return err
		}
		if err := l.send("a1 STARTTLS"); err != nil {
			return err
		}
		for {
			line, err := l.read()
			if err != nil {
				return err
			}
			if rest, ok := strings.CutPrefix(line, "a1 "); ok {
				if !strings.HasPrefix(strings.ToUpper(rest), "OK") {
					return errors.New(line)
				}
				return nil
			}
		}
	},
	"pop3": func(l lines) error {
		if err := l.expect("+OK"); err != nil {
			return err
		}
		if err := l.send("STLS"); err != nil {
			return err
		}
		return l.expect("+OK")
	},
	"postgres": func(l lines) error {
		if _, err := l.Write([]byte{0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f}); err != nil {
			return err
		}
		var answer [1]byte
		if _, err := io.ReadFull(l, answer[:]); err != nil {
			return err
		}
		if answer[0] != 'S' {
			return fmt.Errorf("the server answers %q, it has no TLS", answer[0])
		}
		return nil
	},
	// An extended request with the OID of StartTLS (RFC 4511, 4.14.1).
	"ldap": func(l lines) error {
		oid := "1.3.6.1.4.1.1466.20037"
		msg := append([]byte{0x30, byte(len(oid) + 7), 2, 1, 1, 0x77, byte(len(oid) + 2), 0x80, byte(len(oid))}, oid...)
		if _, err := l.Write(msg); err != nil {
			return err
		}
		var head [2]byte
		if _, err := io.ReadFull(l, head[:]); err != nil {
			return err
		}
		n := int(head[1])
		if n >= 0x80 { // the long form of a length
			more := make([]byte, n&0x7f)
			if head[0] != 0x30 || len(more) > 4 {
				return errors.New("not an LDAP answer")
			}
			if _, err := io.ReadFull(l, more); err != nil {
				return err
			}
			n = 0
			for _, b := range more {
				n = n<<8 | int(b)
			}
		}
		if head[0] != 0x30 || n > 64<<10 {
			return errors.New("not an LDAP answer")
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(l, body); err != nil {
			return err
		}
		// messageID, then [APPLICATION 24] whose first element is the result code.
		at := bytes.IndexByte(body, 0x78)
		code := bytes.Index(body, []byte{0x0a, 1})
		if at < 0 || code < at || code+2 >= len(body) {
			return errors.New("not an LDAP answer")
		}
		if c := body[code+2]; c != 0 {
			return fmt.Errorf("result code %d", c)
		}
		return nil
	},
}

// lines reads lines byte by byte, so as to take nothing of what follows them.
type lines struct{ net.Conn }

func (l lines) send(s string) error {
	_, err := l.Write([]byte(s + "\r\n"))
	return err
}

func (l lines) read() (string, error) {
	var line []byte
	for b := make([]byte, 1); len(line) < 4096; {
		if _, err := io.ReadFull(l, b); err != nil {
			return "", err
		}
		if b[0] == '\n' {
			return strings.TrimRight(string(line), "\r"), nil
		}
		line = append(line, b[0])
	}
	return "", errors.New("a line longer than 4096 bytes")
}

func (l lines) expect(prefix string) error {
	line, err := l.read()
	if err == nil && !strings.HasPrefix(line, prefix) {
		err = errors.New(line)
	}
	return err
}

// smtp reads an answer of one or more lines with the given code.
func (l lines) smtp(code string) error {
	for range 200 {
		line, err := l.read()
		if err != nil {
			return err
		}
		if !strings.HasPrefix(line, code) {
			return errors.New(line)
		}
		if len(line) < 4 || line[3] != '-' {
			return nil
		}
	}
	return errors.New("an answer of more than 200 lines")
}
