# Repositories and their indexes.

repositories_file=/etc/apk/repositories
index_cache=/var/cache/apk

repositories() { sed -n 's/^[[:space:]]*\([^#[:space:]][^[:space:]]*\).*/\1/p' "$repositories_file" 2>/dev/null; }

# wget's words for what went wrong, in apk's.
reason_of() {
	case $1 in
	*"bad address"* | *"timed out"*) echo "temporary error (try again later)" ;;
	*"refused"*) echo "could not connect to server (check repositories file)" ;;
	*" 404 "*) echo "No such file or directory" ;;
	*"server returned error"*) echo "remote server returned error (try 'apk update')" ;;
	*"No space left"* | *"quota exceeded"*) echo "No space left on device" ;;
	*) echo "Permission denied" ;;
	esac
}

# Where the kept index of a repository lies.
index_file() { echo "$index_cache/APKINDEX.$(printf %s "$1" | sha1sum | cut -c 1-8).tar.gz"; }

# fetch URL FILE: on failure `reason` says why.
fetch() {
	if errors=$(wget -q -T 10 -O "$2" "$1" 2>&1); then return 0; fi
	# Quiet wget does not say what the server answered; its longer form does.
	[ -n "$errors" ] || errors=$(wget -T 10 -O /dev/null "$1" 2>&1)
	reason=$(reason_of "$errors")
	rm -f "$2"
	return 1
}

# Fetches every index into folder $1; counts the repositories that did not answer in `unavailable` and `stale`.
fetch_indexes() {
	unavailable=0 stale=0
	mkdir -p "$1"
	for repository in $(repositories); do
		url=$repository/x86_64/APKINDEX.tar.gz
		say "fetch $url"
		kept=$1/$(basename "$(index_file "$repository")")
		if fetch "$url" "$kept.new"; then
			mv "$kept.new" "$kept"
			continue
		fi
		echo "WARNING: fetching $repository: $reason" >&2
		if [ -e "$kept" ]; then stale=$((stale + 1)); else unavailable=$((unavailable + 1)); fi
	done
}

# All blocks of the indexes in folder $1, each with the repository it comes from (R:).
read_indexes() {
	for repository in $(repositories); do
		kept=$1/$(basename "$(index_file "$repository")")
		if [ ! -e "$kept" ]; then continue; fi
		tar -xzOf "$kept" APKINDEX 2>/dev/null | sed "s|^P:.*|&\nR:$repository|"
	done
}

update_indexes() {
	fetch_indexes "$index_cache"
	distinct=$(read_indexes "$index_cache" | grep '^P:' | sort -u | wc -l)
	if [ $((unavailable + stale)) -gt 0 ]; then
		say "$unavailable unavailable, $stale stale; $distinct distinct packages available"
		return $((unavailable + stale))
	fi
	for repository in $(repositories); do say "v$(cat /etc/alpine-release) [$repository]"; done
	say "OK: $distinct distinct packages available"
}

search_packages() {
	read_indexes "$index_cache" | awk -v word="${1:-}" '
		/^P:/ { name = substr($0, 3) }
		/^V:/ && index(name, word) { print name "-" substr($0, 3) }'
}
