# Asks curl about servers: "port name roots" each.
i=0
for question; do
	set -- $question
	case $2 in *:*) name="[$2]" ;; *) name=$2 ;; esac
	if [ ! -s "$3" ]; then
		echo "$i cannot be asked"
	elif words=$(curl -q -sS -o /dev/null --max-time 10 --cacert "$3" --connect-to "::127.0.0.1:$1" "https://$name/" 2>&1); then
		echo "$i ok"
	else
		echo "$i" $words
	fi
	i=$((i + 1))
done
