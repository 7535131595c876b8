//go:build linux

package lab

// Ruby, cargo and R: as client_rows_test.go says.

var insecureLang = []rowCase{}

var deadLang = []rowCase{}
