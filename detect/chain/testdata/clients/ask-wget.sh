# Asks wget about servers: "port name roots" each. It can only be sent to the
# name itself, and GnuTLS is the library its rules are for.
wget --version | grep -q gnutls || exit 1
i=0
for question; do
	set -- $question
	if [ "$2" != localhost ] || [ ! -s "$3" ]; then
		echo "$i cannot be asked"
	elif words=$(wget --no-config -nv -O /dev/null -T 10 -t 1 --ca-certificate="$3" "https://localhost:$1/" 2>&1); then
		echo "$i ok"
	else
		echo "$i" $words
	fi
	i=$((i + 1))
done
