# What is installed, what is wished for, and the lock over both.

root_database=/lib/apk/db
installed=$root_database/installed
world=/etc/apk/world

say() { [ -n "$quiet" ] || echo "$@"; }

# Runs a command while nobody else changes packages; apk ends with 99 when it may not.
with_lock() {
	mkdir -p "$root_database"
	if ! (: >>"$root_database/lock") 2>/dev/null; then
		echo "ERROR: Unable to lock database: Read-only file system" >&2
		echo "ERROR: Failed to open apk database: Read-only file system" >&2
		exit 99
	fi
	exec 8>"$root_database/lock"
	if ! flock -w "$wait_lock" 8; then
		echo "ERROR: Unable to lock database: temporary error (try again later)" >&2
		echo "ERROR: Failed to open apk database: temporary error (try again later)" >&2
		exit 99
	fi
	"$@"
}

# Database and index share one form: a block of "K:value" lines a package, an empty line between two.
# field NAME KEY <blocks
field() {
	awk -v name="$1" -v key="$2" '
		/^P:/ { mine = substr($0, 3) == name }
		mine && substr($0, 1, 2) == key ":" { print substr($0, 3) }'
}

is_installed() { grep -qxF "P:$1" "$installed"; }

count_installed() { grep -c '^P:' "$installed"; }

# "OK: 14 MiB in 20 packages", as apk ends what went well.
report_ok() {
	say "OK: $(awk '/^I:/ { sum += substr($0, 3) } END { printf "%d", sum / 1048576 }' "$installed") MiB in $(count_installed) packages"
}

wish() {
	for name in "$@"; do
		grep -qxF "$name" "$world" 2>/dev/null || echo "$name" >>"$world"
	done
}

# apk info [-e] [NAME…]
show_installed() {
	missing=0
	if [ $# -eq 0 ]; then
		sed -n 's/^P://p' "$installed"
		return 0
	fi
	for name in "$@"; do
		if ! is_installed "$name"; then
			missing=1
		elif [ -n "$installed_only" ]; then
			echo "$name"
		else
			version=$(field "$name" V <"$installed")
			echo "$name-$version description:"
			field "$name" T <"$installed"
			echo
		fi
	done
	return "$missing"
}
