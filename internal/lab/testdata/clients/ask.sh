# Asks a program about servers: "ask.sh PROGRAM QUESTION...", a question is
# "port name roots".
client=$1
shift
get='GET / HTTP/1.0\r\n\r\n'
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TERMINAL_PROMPT=0

case $client in
curl) echo "# version=$(curl -q --version | sed -n '1s/.* \(OpenSSL\/[0-9.]*\).*/\1/p;q')" ;;
openssl) echo "# version=$(openssl version | cut -d' ' -f1,2 | tr ' ' /)" ;;
wget) echo "# version=$(wget --version | grep -o 'ssl/gnutls' || echo other)" ;;
git) echo "# version=$(ldd "$(git --exec-path)/git-remote-http" | grep -o 'libcurl-gnutls' || echo other)" ;;
gnutls-cli) echo "# version=$(gnutls-cli --version | sed -n 's/^gnutls-cli //p')" ;;
esac

ask() { # PORT NAME ROOTS
	case $client in
	curl) curl -q -sS -o /dev/null --max-time 10 --cacert "$3" "https://$2:$1/" ;;
	wget) wget --no-config -nv -O /dev/null -T 10 -t 1 --ca-certificate="$3" "https://$2:$1/" ;;
	git)
		said=$(git -c http.sslCAInfo="$3" ls-remote "https://$2:$1/none" 2>&1)
		echo "$said"
		case $said in *'not found'*) return 0 ;; *) return 1 ;; esac
		;;
	openssl)
		case $2 in
		*[a-z]*) verify="-servername $2 -verify_hostname $2" ;;
		*) verify="-noservername -verify_ip $2" ;;
		esac
		# shellcheck disable=SC2059,SC2086
		printf "$get" | timeout 10 openssl s_client -connect "$2:$1" $verify -CAfile "$3" -verify_return_error -quiet
		;;
	gnutls-cli)
		# shellcheck disable=SC2059
		printf "$get" | timeout 10 gnutls-cli --x509cafile="$3" -p "$1" "$2"
		;;
	esac
}

i=0
for question; do
	# shellcheck disable=SC2086
	set -- $question
	if [ ! -s "$3" ]; then
		echo "$i cannot be asked"
	elif words=$(ask "$@" 2>&1); then
		echo "$i ok"
	else
		# shellcheck disable=SC2086
		echo "$i" $words | tr '\n' ' '
		echo
	fi
	i=$((i + 1))
done
