// Package lab is the end-to-end laboratory: throw-away copies of the running
// system, each with a small internet of its own, in which trustfix meets the
// real clients (curl, git, pip, Python, apt) before and after a repair.
//
// It is test code and is imported by nothing else. It needs root (namespaces,
// overlay mounts) and a Debian-family system; where that is missing its tests
// skip and say why, except with CI=true or TRUSTFIX_LAB=require, where a lab
// that cannot run is a failure. TRUSTFIX_LAB_ROOT names another Debian root
// (made by mmdebstrap, with its packages kept) to make the copies of.
// TRUSTFIX_LAB_CONDA names a directory with source trees of conda (one per
// version): the tests about conda then run each besides the stand-in.
//
// How it keeps the machine out of it:
//
//   - TestMain starts the test binary again in a mount namespace of its own,
//     with an empty environment and without the capability to set the clock.
//     Everything the lab writes is on a tmpfs that exists only there.
//
//   - A base layer is built over the running system once per run: what the
//     machine's owner put there (/root, /home, /usr/local, /opt, …) is hidden,
//     apt knows one local repository, and ca-certificates carries the lab's
//     public roots as if Mozilla had shipped them.
//
//   - A [Sandbox] is a copy-on-write overlay of both with mount, pid, net, uts
//     and ipc namespaces. What was changed in it is exactly its upper directory.
//
//   - With Config.Suite a sandbox is a copy of a Debian release instead (bullseye,
//     bookworm, trixie, sid; suite.go lists its packages). mmdebstrap builds its
//     tree once from the mirror of the machine's apt, into the user's cache; the
//     base layer, the world and everything else are the same. A suite that is not
//     in the cache is built where the lab is required, elsewhere the test skips.
//     It takes minutes: these tests run with TRUSTFIX_LAB_SUITES=1, and only they:
//
//     s := lab.Start(t, lab.Config{Suite: lab.Trixie, Hosts: lab.Hosts{"pypi.org": lab.Expired}})
//     s.Clients(false, lab.Requests("pypi.org"), lab.Httpx("pypi.org"))
//
//   - The same with Fedora, SUSE, Arch or Alpine (family.go) is a system of that
//     family as far as trust goes: its paths, p11-kit's own tool, and the real dnf,
//     zypper or pacman, on Debian's programs.
//
//   - A [World] answers on loopback inside that network namespace: real names
//     and ports, with one address for every way in which a server can be wrong.
//
// It must never touch the machine's files, clock or network, and never talk to
// an address that is not loopback (fetching Debian packages when it is prepared
// is done by apt itself, see prepare.go).
package lab
