# The few commands that a person types. Each installs what it needs itself.

.PHONY: demo test check bench lab screenshots
.DEFAULT_GOAL := demo

# A simulated cluster and the service in one process; prints the address and the login.
demo:
	@scripts/packages build
	@cargo build --release --quiet --bin proximity
	@exec "$${CARGO_TARGET_DIR:-target}/release/proximity" demo $(ARGS)

# All tests, the lab included; closes with the runner's count.
test:
	@scripts/test $(ARGS)

# Format, lints, documentation, licences.
check:
	@scripts/check

# Ratios and measures; prints the machine they were taken on.
bench:
	@scripts/bench $(ARGS)

# The service against real containers on this machine, for a person to click in. Needs root.
lab:
	@scripts/lab $(ARGS)

# Every page in both themes and two widths, for a person to look at: target/screenshots.
screenshots:
	@scripts/test -E 'test(every_page_is_pictured)'
