#!/bin/sh
# Of the deb and rpm packages. An upgrade leaves the units running.
set -e
case $1 in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now instantly-rotator.service instantly-rotator-due.timer
	fi
	;;
esac
