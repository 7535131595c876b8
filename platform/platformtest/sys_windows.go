package platformtest

import (
	"errors"
	"os"
	"time"
)

func mkfifo(string) error { return errors.New("no FIFOs here") }

func lutimes(name string, t time.Time) error { return os.Chtimes(name, t, t) }

func setXAttr(string, string, string) error { return nil }
