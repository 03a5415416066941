# Adding and removing packages.

# Names in the order in which they have to be installed: those wished for and all they depend on.
# closure NAME… <index; a name that no repository has is printed as "!name requirer".
closure() {
	awk -v wished="$*" '
		/^P:/ { name = substr($0, 3); known[name] = 1 }
		/^D:/ { depends[name] = substr($0, 3) }
		function visit(one, requirer,    list, count, i) {
			if (one in done) return
			done[one] = 1
			if (!(one in known)) { print "!" one " " requirer; return }
			count = split(depends[one], list, " ")
			for (i = 1; i <= count; i++) visit(list[i], one)
			print one
		}
		END { count = split(wished, list, " "); for (i = 1; i <= count; i++) visit(list[i], "world[" list[i] "]") }'
}

add_packages() {
	work=$(mktemp -d) || exit 99
	trap 'rm -rf "$work"' EXIT
	if [ -z "$cache" ] || [ -n "$update" ]; then
		folder=$work
		fetch_indexes "$folder"
	else
		folder=$index_cache
		for repository in $(repositories); do
			[ -e "$(index_file "$repository")" ] ||
				echo "WARNING: opening from cache $repository: No such file or directory" >&2
		done
	fi
	{ cat "$installed"; echo; read_indexes "$folder"; } >"$work/known"
	closure $(cat "$world" 2>/dev/null) "$@" <"$work/known" >"$work/plan"
	if grep -q '^!' "$work/plan"; then
		echo "ERROR: unable to select packages:" >&2
		sed -n 's/^!\([^ ]*\) \(.*\)/  \1 (no such package):\n    required by: \2/p' "$work/plan" >&2
		return "$(grep -c '^!' "$work/plan")"
	fi
	wish "$@"
	install_plan
}

install_plan() {
	total=0 number=0 failed=0
	for name in $(cat "$work/plan"); do is_installed "$name" || total=$((total + 1)); done
	for name in $(cat "$work/plan"); do
		if is_installed "$name"; then continue; fi
		number=$((number + 1))
		version=$(field "$name" V <"$work/known" | head -n 1)
		say "($number/$total) Installing $name ($version)"
		install_package "$name" "$version" || failed=$((failed + 1))
	done
	if [ "$failed" -gt 0 ]; then
		echo "$failed error$([ "$failed" = 1 ] || echo s); $(count_installed) packages installed" >&2
		return 1
	fi
	[ "$total" = 0 ] || say "Executing busybox-1.37.0-r6.trigger"
	report_ok
}

install_package() {
	repository=$(field "$1" R <"$work/known" | head -n 1)
	if ! fetch "$repository/x86_64/$1-$2.apk" "$work/package"; then
		echo "ERROR: $1-$2: $reason" >&2
		return 1
	fi
	if [ "$(stat -c %s "$work/package")" != "$(field "$1" S <"$work/known" | head -n 1)" ]; then
		echo "ERROR: $1-$2: BAD archive" >&2
		return 1
	fi
	if ! errors=$(tar -xf "$work/package" -C / 2>&1); then
		echo "ERROR: $1-$2: $(reason_of "$errors")" >&2
		return 1
	fi
	if [ -x "/usr/lib/apk/scripts/$1" ]; then
		say "Executing $1-$2.post-install"
		"/usr/lib/apk/scripts/$1"
	fi
	# Known only once it is whole, so that a retry after a kill starts this package again.
	awk -v name="$1" '/^P:/ { mine = substr($0, 3) == name && !seen; if (mine) seen = 1 } mine' "$work/known" >"$work/block"
	tar -tf "$work/package" | sed 's/^/F:/' >>"$work/block"
	{ sed '/^$/d' "$work/block"; echo; } >>"$installed"
	rm -f "$work/package"
}

delete_packages() {
	for name in "$@"; do
		sed -i "/^$name\$/d" "$world"
		is_installed "$name" || continue
		say "(1/1) Purging $name ($(field "$name" V <"$installed"))"
		field "$name" F <"$installed" | grep -v '/$' | sed 's|^\(\./\)*|/|' | xargs -r rm -f
		awk -v name="$name" '/^P:/ { mine = substr($0, 3) == name } !mine' "$installed" >"$installed.new"
		mv "$installed.new" "$installed"
	done
	report_ok
}
