#!/bin/sh
# Of the deb and rpm packages: the user, and the units made known. Nothing is started.
set -e
if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers instantly-rotator.conf
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	# After an upgrade; one that does not run stays so.
	systemctl try-restart instantly-rotator.service
fi
