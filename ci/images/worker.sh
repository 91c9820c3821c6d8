# An ordinary client: Debian's Python with its Redis library, and Jinja for the configuration of the proxy.
packages=(python3-redis python3-async-timeout python3-deprecated python3-packaging python3-wrapt python3-jinja2 python3-markupsafe)
/usr/bin/python3 -c 'import redis, jinja2' 2>/dev/null || { install python3-redis; install python3-jinja2; }
python="$(readlink -f /usr/bin/python3)"
program "$python"
mv "$root/usr/bin/$(basename "$python")" "$root/usr/bin/python3"
modules="/usr/lib/$(basename "$python")"
find "$modules" -name '*.py' -not -path '*/test/*' -not -path '*/idlelib/*' | put_all
{
    find "$modules/lib-dynload" -name '*.so'
    dpkg -L "${packages[@]}" | grep -E '\.(py|so)$'
} >"$work/files"
put_all <"$work/files"
grep '\.so$' "$work/files" | while read -r file; do libraries "$file"; done
change 'ENV PYTHONDONTWRITEBYTECODE=1'
change 'ENTRYPOINT ["python3"]'
