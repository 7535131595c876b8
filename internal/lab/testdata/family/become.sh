#!/bin/sh
# become.sh FAMILY: makes a Debian tree a system of another family, as far as
# trust goes: its os-release, its paths, its package manager with one local
# repository, and its ca-certificates package, whose tool calls the real
# `trust extract` of p11-kit. The programs stay Debian's.
set -eu
family=$1
here=/srv/lab/family
repo=/srv/repo
tree=/tmp/tree

# What the package holds: the roots in p11-kit's format.
bundle() {
	for f in "$here"/mozilla/*.crt; do
		name=${f##*/}
		printf '[p11-kit-object-v1]\nlabel: "%s"\ntrusted: true\nnss-mozilla-ca-policy: true\nmodifiable: false\n' "${name%.crt}"
		cat "$f"
		echo
	done
}

rpm_package() { # NAME VERSION TOOL MORE
	mkdir -p /tmp/rpm
	{
		printf 'Name: %s\nVersion: %s\nRelease: 1\nSummary: laboratory\nLicense: MIT\nBuildArch: noarch\nAutoReqProv: no\n%s\n' "$1" "$2" "$4"
		printf '%%description\nMade by the laboratory.\n%%install\n[ ! -d %s ] || cp -a %s/. %%{buildroot}/\n' "$tree" "$tree"
		[ -z "$3" ] || printf '%%post\n%s || :\n' "$3"
		printf '%%files\n%%defattr(-,root,root)\n'
		[ ! -d "$tree" ] || {
			# The directories that the package is for are its own, /etc and /usr are not.
			(cd "$tree" && find . -type d \( -path '*/pki/*' -o -path './var/lib/ca-certificates*' \)) | sed 's|^\.|%dir |'
			(cd "$tree" && find . -type f -o -type l) | sed 's|^\.||'
		}
	} >"/tmp/rpm/$1.spec"
	rpmbuild --quiet -bb --define '_topdir /tmp/rpm' --define "_rpmdir $repo" --define '_build_id_links none' \
		--define '__os_install_post %{nil}' "/tmp/rpm/$1.spec"
}

pacman_package() { # NAME MORE
	printf 'pkgname = %s\npkgbase = ca-certificates\npkgver = 20240618-1\npkgdesc = laboratory\nbuilddate = 1700000000\npackager = lab\nsize = 1\narch = any\nlicense = MIT\n%s\n' "$1" "$2" >"$tree/.PKGINFO"
	[ "$1" = ca-certificates ] || printf 'post_install() {\n [ ! -x /usr/bin/update-ca-trust ] || update-ca-trust\n}\npost_upgrade() {\n post_install\n}\n' >"$tree/.INSTALL"
	(
		cd "$tree"
		bsdtar -czf .MTREE --format=mtree --options='!all,use-set,type,uid,gid,mode,time,size,md5,sha256,link' -- .[PI]* *
		bsdtar -cf - -- .[PIM]* * | zstd -q -o "$repo/$1-20240618-1-any.pkg.tar.zst"
	)
	rm -rf "$tree"
}

p11_paths() { # PATHS: where this family's p11-kit looks for trust
	printf 'module: p11-kit-trust.so\npriority: 1\ntrust-policy: yes\nx-trust-lookup: pkcs11:library-description=PKCS%%2311%%20Kit%%20Trust%%20Module\ndisable-in: p11-kit-proxy\nx-init-reserved: paths='"'%s'"'\n' "$1" \
		>/usr/share/p11-kit/modules/p11-kit-trust.module
}

leave_debian() {
	case $family in
	fedora) others='zypper pacman-package-manager makepkg' ;;
	suse) others='dnf pacman-package-manager makepkg' ;;
	arch) others='dnf zypper' ;;
	*) others='dnf zypper pacman-package-manager makepkg' ;;
	esac
	# shellcheck disable=SC2086 # one word each
	dpkg --purge --force-all ca-certificates $others >/dev/null 2>&1
	rm -rf /etc/ssl/certs /usr/share/ca-certificates /usr/local/share/ca-certificates /etc/ca-certificates* /usr/sbin/update-ca-certificates \
		/etc/debian_version /etc/apt /usr/bin/apt /usr/bin/apt-* /usr/bin/dpkg* /var/lib/dpkg /usr/lib/ssl/certs /usr/lib/ssl/cert.pem
	mkdir -p /etc/ssl
}

os_release() { printf '%s\n' "$@" >/usr/lib/os-release; ln -sf ../usr/lib/os-release /etc/os-release; }

rm -rf $repo "$tree"
mkdir -p $repo "$tree"

case $family in
fedora)
	src=$tree/usr/share/pki/ca-trust-source own=$tree/etc/pki/ca-trust
	mkdir -p "$src/anchors" "$src/blocklist" "$own/source/anchors" "$own/source/blocklist" "$own/extracted/pem/directory-hash" "$own/extracted/openssl" \
		"$own/extracted/java" "$own/extracted/edk2" "$tree/etc/pki/tls/certs" "$tree/etc/pki/java" "$tree/etc/ssl" "$tree/usr/bin"
	bundle >"$src/ca-bundle.trust.p11-kit"
	install -m 755 $here/update-ca-trust.fedora "$tree/usr/bin/update-ca-trust"
	# ca-certificates.crt is where Debian's curl looks; Azure Linux has it, too.
	for link in cert.pem certs/ca-bundle.crt certs/ca-certificates.crt; do ln -s /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem "$tree/etc/pki/tls/$link"; done
	ln -s /etc/pki/ca-trust/extracted/java/cacerts "$tree/etc/pki/java/cacerts"
	ln -s ../pki/tls/certs "$tree/etc/ssl/certs"
	rpm_package ca-certificates 2024.2.69_v8.0.401 /usr/bin/update-ca-trust 'Provides: /bin/sh'
	rm -rf "$tree"
	createrepo_c -q $repo
	leave_debian
	p11_paths /etc/pki/ca-trust/source:/usr/share/pki/ca-trust-source
	ln -s /etc/pki/tls/cert.pem /usr/lib/ssl/cert.pem
	ln -s /etc/pki/tls/certs /usr/lib/ssl/certs
	os_release 'NAME="Fedora Linux"' ID=fedora VERSION_ID=42 PLATFORM_ID='"platform:f42"' 'PRETTY_NAME="Fedora Linux 42 (Container Image)"'
	rm -rf /etc/yum.repos.d
	mkdir -p /etc/yum.repos.d /etc/dnf/vars /etc/rpm
	echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros.lab # Debian's rpm has ~/.rpmdb
	echo 42 >/etc/dnf/vars/releasever
	printf '[main]\ngpgcheck=0\ninstallonly_limit=3\nbest=True\ntimeout=5\nretries=1\n' >/etc/dnf/dnf.conf
	printf '[fedora]\nname=Fedora\nbaseurl=file://%s\nenabled=1\nmetadata_expire=1\n' $repo >/etc/yum.repos.d/fedora.repo
	dnf -y -q install ca-certificates
	;;
suse)
	mkdir -p "$tree/usr/share/pki/trust/anchors" "$tree/usr/share/pki/trust/blocklist"
	bundle >"$tree/usr/share/pki/trust/ca-certificates-mozilla.trust.p11-kit"
	rpm_package ca-certificates-mozilla 2.68 /usr/sbin/update-ca-certificates 'Requires: ca-certificates'
	rm -rf "$tree"
	mkdir -p "$tree/etc/pki/trust/anchors" "$tree/etc/pki/trust/blocklist" "$tree/var/lib/ca-certificates/pem" "$tree/usr/sbin" "$tree/etc/ssl"
	install -m 755 $here/update-ca-certificates.suse "$tree/usr/sbin/update-ca-certificates"
	ln -s /var/lib/ca-certificates/pem "$tree/etc/ssl/certs"
	ln -s /var/lib/ca-certificates/ca-bundle.pem "$tree/etc/ssl/ca-bundle.pem"
	rpm_package ca-certificates 2+git20240805 '' 'Provides: /bin/sh' # which Debian's tree does not say it has
	rm -rf "$tree"
	createrepo_c -q $repo
	leave_debian
	p11_paths /etc/pki/trust:/usr/share/pki/trust
	ln -s /etc/ssl/ca-bundle.pem /usr/lib/ssl/cert.pem
	ln -s /etc/ssl/certs /usr/lib/ssl/certs
	os_release 'NAME="openSUSE Leap"' 'ID="opensuse-leap"' 'ID_LIKE="suse opensuse"' 'VERSION_ID="15.6"' 'PRETTY_NAME="openSUSE Leap 15.6"'
	mkdir -p /etc/zypp/repos.d /etc/products.d /etc/rpm
	echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros.lab
	printf '[oss]\nname=oss\nbaseurl=dir://%s\nenabled=1\nautorefresh=1\ngpgcheck=0\n' $repo >/etc/zypp/repos.d/oss.repo
	zypper --non-interactive --quiet --no-gpg-checks install --no-recommends ca-certificates ca-certificates-mozilla
	;;
arch)
	mkdir -p "$tree/usr/share/ca-certificates/trust-source"
	bundle >"$tree/usr/share/ca-certificates/trust-source/mozilla.trust.p11-kit"
	pacman_package ca-certificates-mozilla 'depend = ca-certificates-utils'
	mkdir -p "$tree/usr/share/ca-certificates/trust-source/anchors" "$tree/usr/share/ca-certificates/trust-source/blocklist" \
		"$tree/etc/ca-certificates/trust-source/anchors" "$tree/etc/ca-certificates/trust-source/blocklist" "$tree/etc/ca-certificates/extracted/cadir" \
		"$tree/usr/bin" "$tree/etc/ssl/certs/java"
	install -m 755 $here/update-ca-trust.arch "$tree/usr/bin/update-ca-trust"
	ln -s ../ca-certificates/extracted/tls-ca-bundle.pem "$tree/etc/ssl/cert.pem"
	ln -s ../../ca-certificates/extracted/tls-ca-bundle.pem "$tree/etc/ssl/certs/ca-certificates.crt"
	pacman_package ca-certificates-utils ''
	mkdir -p "$tree/usr/share" # a package of packages
	pacman_package ca-certificates 'depend = ca-certificates-mozilla'
	(cd $repo && repo-add -q lab.db.tar.gz ./*.pkg.tar.zst)
	leave_debian
	p11_paths /etc/ca-certificates/trust-source:/usr/share/ca-certificates/trust-source
	ln -s /etc/ssl/cert.pem /usr/lib/ssl/cert.pem
	ln -s /etc/ssl/certs /usr/lib/ssl/certs
	os_release 'NAME="Arch Linux"' 'PRETTY_NAME="Arch Linux"' ID=arch BUILD_ID=rolling
	printf '[options]\nArchitecture = auto\nSigLevel = Never\n[lab]\nServer = file://%s\n' $repo >/etc/pacman.conf
	mkdir -p /var/lib/pacman
	pacman --noconfirm --noprogressbar -Sy ca-certificates
	;;
alpine)
	# No apk is to be had from Debian: without a package manager.
	leave_debian
	mkdir -p /etc/ssl/certs /etc/ca-certificates/update.d /usr/local/share/ca-certificates /usr/share/ca-certificates /etc/apk
	cp -r $here/mozilla /usr/share/ca-certificates/
	echo https://dl-cdn.alpinelinux.org/alpine/v3.20/main >/etc/apk/repositories
	install -m 755 $here/update-ca-certificates.alpine /usr/sbin/update-ca-certificates
	printf '#!/bin/sh\nexec openssl rehash /etc/ssl/certs >/dev/null 2>&1\n' >/etc/ca-certificates/update.d/certhash
	chmod 755 /etc/ca-certificates/update.d/certhash
	(cd /usr/share/ca-certificates && find . -name '*.crt' | sed 's|^\./||' | sort) >/etc/ca-certificates.conf
	ln -s certs/ca-certificates.crt /etc/ssl/cert.pem
	ln -s /etc/ssl/cert.pem /usr/lib/ssl/cert.pem
	ln -s /etc/ssl/certs /usr/lib/ssl/certs
	os_release 'NAME="Alpine Linux"' ID=alpine VERSION_ID=3.20.3 'PRETTY_NAME="Alpine Linux v3.20"'
	echo 3.20.3 >/etc/alpine-release
	/usr/sbin/update-ca-certificates
	;;
esac
rm -rf /tmp/rpm "$tree" /root/rpmbuild /var/cache/pacman/pkg/*
