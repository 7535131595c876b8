# Asks uv about servers: "ask.uv.sh UV MODE QUESTION...", a question is "port
# name roots"; MODE says by which variable uv gets the roots. uv tries four
# times and waits in between, so all questions are put at once.
uv=$1 mode=$2
shift 2
export UV_NO_CONFIG=1 UV_CACHE_DIR=/tmp/uv UV_HTTP_TIMEOUT=10 UV_PYTHON_DOWNLOADS=never NO_COLOR=1
echo "# version=$("$uv" --version | cut -d' ' -f2)"
scratch=$(mktemp -d)

ask() { # PORT NAME ROOTS
	if [ "$mode" = native ]; then
		mkdir "$scratch/roots.$1"
		cp "$3" "$scratch/roots.$1/00000000.0" # any name like a hash; it reads no other
		export UV_NATIVE_TLS=1 SSL_CERT_DIR="$scratch/roots.$1"
	else
		export SSL_CERT_FILE="$3"
	fi
	echo labpkg | "$uv" pip compile --quiet --no-header --index-url "https://$2:$1/simple/" -
}

i=0
for question; do
	# shellcheck disable=SC2086
	set -- $question
	if [ ! -s "$3" ]; then
		echo 'cannot be asked' >"$scratch/$i"
	else
		(
			said=$(ask "$@" 2>&1)
			case $said in
			*'was not found in the package registry'*) echo ok ;;
			# uv draws its errors as a tree; the last branch tells why.
			*) echo "$said" | sed 's/[│├╰─▶×]//g' | tr -s ' \n' ' ' | sed 's/.*(Connect) *//; s/^Caused by: //; s/ help: .*//' ;;
			esac >"$scratch/$i"
		) &
	fi
	i=$((i + 1))
done
wait
n=0
while [ $n -lt $i ]; do
	echo "$n $(cat "$scratch/$n")"
	n=$((n + 1))
done
rm -rf "$scratch"
