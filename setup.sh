#!/usr/bin/env bash
# Makes the environment if it is not there, then runs a command of the assignment in it.
#
#   ./setup.sh                 make the environment, and say what comes next
#   ./setup.sh COMMAND...      run `a2 COMMAND...`: ./setup.sh grade, ./setup.sh doctor, ./setup.sh --version
#   ./setup.sh test [ARGS...]  run the tests; ARGS are pytest's (without -m: all but the slow ones)
#
# PYTHON=/path/to/python3 chooses the Python (3.10 to 3.14), A2_VENV=DIR another folder than .venv.
# Linux, macOS, WSL, Git Bash on Windows. Written for bash 3.2, which is what macOS has.

[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -u
unset CDPATH PYTHONHOME

CPU_WHEELS=https://download.pytorch.org/whl/cpu
CUDA_GB=7 CPU_GB=2 # what the finished environment takes, with room for pip to unpack in

edition=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
system=$(uname -s)
case $system in
    MINGW* | MSYS* | CYGWIN*) bin=Scripts exe=.exe ;;
    *) bin=bin exe='' ;;
esac
venv=${A2_VENV:-$edition/.venv}
case $venv in
    /* | [A-Za-z]:*) ;;
    *) venv=$PWD/$venv ;;
esac
shown=${venv#"$PWD"/}
python=$venv/$bin/python$exe
stamp=$venv/a2-stamp # python VERSION, place FOLDER, and one line for every requirements file that is installed
log=$venv/setup.log
lock=$venv/setup.lock
child=''

say() { printf '%s\n' "$*" >&2; }

die() {
    say "setup.sh: $*"
    exit 2
}

main() {
    case ${1:-} in
        -h | --help)
            sed -n '2,/^$/s/^# \{0,1\}//p' "$edition/setup.sh"
            exit
            ;;
    esac
    ensure "$edition/requirements.txt"
    keep_memory
    case ${1:-} in
        '') next_steps ;;
        test)
            shift
            ensure_staff
            run_tests "$@"
            ;;
        *)
            case " $* " in *' classroom '* | *' gradescope '* | *' --isolated '*) ensure_staff ;; esac
            PYTHONPATH=$(native "$edition") && export PYTHONPATH
            # shellcheck disable=SC2046  # an option or nothing
            exec "$python" $(safe_path "$(stamped python)") -m coursekit "$@"
            ;;
    esac
}

# What tests, untrusted submissions and many machines need; the student edition has no such file.
ensure_staff() {
    [ ! -f "$edition/tests/staff/requirements.txt" ] || ensure "$edition/tests/staff/requirements.txt"
}

next_steps() {
    say "The environment is ready: Python $(stamped python) in $shown."
    echo 'Next:'
    if [ "$PWD" != "$edition" ]; then echo "  cd '$edition'" && shown=${venv#"$edition"/}; fi
    cat <<END
  source $shown/$bin/activate    puts a2 and jupyter on your path (or type ./setup.sh instead of a2)
  a2 doctor                    is everything in order?
  jupyter lab notebooks        the notebooks
  a2 grade                     your points so far
END
}

# For glibc: memory that was freed is kept, not returned and asked for again at each tensor. Elsewhere without effect.
keep_memory() {
    export MALLOC_MMAP_MAX_=${MALLOC_MMAP_MAX_:-0} MALLOC_TOP_PAD_=${MALLOC_TOP_PAD_:-67108864}
    export MALLOC_TRIM_THRESHOLD_=${MALLOC_TRIM_THRESHOLD_:-4294967296}
}

run_tests() {
    local default='yes' argument
    for argument; do
        case $argument in -m*) default='' ;; esac
    done
    cd "$edition" || exit 2
    PYTHONPATH=$(native "$edition") && export PYTHONPATH
    if [ -n "$default" ]; then set -- -m 'not slow' "$@"; fi
    exec "$python" -m pytest "$@"
}

# A path as this system's Python reads it: Git Bash says /c/Users where Python wants C:\Users.
native() {
    if [ "$bin" = Scripts ]; then cygpath -w "$1"; else printf '%s\n' "$1"; fi
}

physical() { (cd "$1" && pwd -P); }

stamped() { sed -n "s/^$1 //p" "$stamp" 2>/dev/null; }

# A coursekit in the current folder must not stand in for the edition's; Python 3.10 has no option for that.
safe_path() { case $1 in 3.10.*) ;; *) echo -P ;; esac }

# --- the environment ---------------------------------------------------------------------------------------------

# Is everything in the requirements file $1 installed? Starts no Python: this is all that a second run costs.
ready() {
    [ -x "$python" ] && [ -f "$stamp" ] &&
        grep -qxF "place $(physical "$venv")" "$stamp" && grep -qxF "requirements $(cksum <"$1")" "$stamp"
}

ensure() {
    local started=$SECONDS
    ! ready "$1" || return 0
    [ -e "$venv" ] || [ ! -L "$venv" ] || die "$shown is a link to $(readlink "$venv"), which is not there; remove the link"
    mkdir -p "$venv" 2>/dev/null && [ -w "$venv" ] || die "cannot write to $venv; copy the assignment to a folder of your own"
    take_lock
    if ! ready "$1"; then # another run may have made it while this one waited
        clear_unfinished
        if [ ! -e "$venv/pyvenv.cfg" ]; then
            make_environment
        else
            check_environment
        fi
        install "$1"
        if [ "$1" = "$edition/requirements.txt" ]; then
            say "Done in $((SECONDS - started)) s. For a2 on your path: source $shown/$bin/activate"
        fi
    fi
    drop_lock
}

# An environment whose making was interrupted, or whose Python has been removed since, is made from nothing.
# Only what this script made is ever removed: it leaves a mark or a stamp.
clear_unfinished() {
    [ -e "$venv/a2-unfinished" ] || [ -e "$stamp" ] || return 0
    case $bin in
        bin) [ ! -d "$venv/Scripts" ] ;;
        *) [ ! -d "$venv/bin" ] ;;
    esac || die "$shown was made by another system; set A2_VENV to another folder, or remove $shown"
    if [ -e "$venv/a2-unfinished" ] || [ ! -x "$python" ]; then
        find "$(physical "$venv")" -mindepth 1 -maxdepth 1 ! -name setup.lock -exec rm -rf {} +
    fi
}

make_environment() {
    local base entry gigabytes=$CPU_GB
    for entry in "$venv"/* "$venv"/.[!.]*; do
        case $entry in
            "$lock" | "$log" | *'/*' | *'/.[!.]*') ;;
            *) die "$venv holds other files and is no environment; choose another folder with A2_VENV" ;;
        esac
    done
    find_python
    [ "$system" != Linux ] || cpu_build || gigabytes=$CUDA_GB
    check_disk "$gigabytes"
    : >"$venv/a2-unfinished"
    : >"$log"
    say "Making the environment in $shown with $base (once; a few minutes) ..."
    run "$base" -m venv "$(native "$venv")" || explain "$base -m venv"
}

# An environment that is there already (made by hand, or for an older requirements.txt) is completed, never emptied.
check_environment() {
    local answer entry
    answer=$("$python" -c "$PROBE" 2>/dev/null </dev/null) ||
        die "$shown has no working Python; remove it, or choose another folder with A2_VENV"
    answer=${answer%$'\r'}
    [ -z "${answer#*|}" ] || [ "${answer#*|}" = 'no venv' ] ||
        die "$shown has Python ${answer%%|*} (${answer#*|}); remove it, or choose another folder with A2_VENV"
    : >"$log"
    mend_paths
    # A package that was half unpacked when its install was killed has no RECORD; without this pip would take it for whole.
    for entry in "$venv"/[Ll]ib/python*/site-packages/*.dist-info "$venv"/Lib/site-packages/*.dist-info; do
        [ ! -d "$entry" ] || [ -e "$entry/RECORD" ] || rm -rf "$entry"
    done
    say "Installing what is missing in $shown ..."
    "$python" -m pip --version >>"$log" 2>&1 </dev/null || run "$python" -m ensurepip || explain ensurepip
}

# After the folder was moved or copied, activate and the commands beside it still name the old place.
mend_paths() {
    local old
    old=$(stamped place)
    [ -n "$old" ] && [ "$old" != "$(physical "$venv")" ] || return 0
    "$python" - "$venv/$bin" "$old" "$(physical "$venv")" >>"$log" 2>&1 <<'END'
import pathlib, sys
folder, old, new = sys.argv[1:]
for path in pathlib.Path(folder).iterdir():
    if path.is_file() and not path.is_symlink():
        text = path.read_bytes()
        if b"\0" not in text and old.encode() in text:
            first, _, rest = text.replace(old.encode(), new.encode()).partition(b"\n")
            if first.startswith(b"#!" + new.encode()):  # such a line cannot hold a space: as pip, go round by sh
                first = b"#!/bin/sh\n'''exec' \"" + first[2:] + b"\" \"$0\" \"$@\"\n' '''"
            path.write_bytes(first + b"\n" + rest)
END
}

# Install the requirements file $1, then stamp the environment.
install() {
    local requirements=$1 installed version
    installed=$(grep '^requirements ' "$stamp" 2>/dev/null)
    rm -f "$stamp"
    mkdir -p "$venv/tmp"
    # torch and torchvision come first and together: the pair has to match, and only they have an index of their own.
    if [ "$requirements" = "$edition/requirements.txt" ] && [ "$system" = Linux ] && cpu_build; then
        grep -E '^torch(vision)?([^[:alnum:]_.-]|$)' "$requirements" >"$venv/tmp/torch.txt"
        pip --index-url "$CPU_WHEELS" -r "$venv/tmp/torch.txt" || say "No build from $CPU_WHEELS; trying PyPI ..."
    fi
    pip -r "$(native "$requirements")" || explain pip
    version=$("$python" -c 'import platform; print(platform.python_version())' | tr -d '\r')
    write_launcher "$(safe_path "$version")"
    {
        printf 'python %s\n' "$version"
        printf 'place %s\n' "$(physical "$venv")"
        [ -z "$installed" ] || printf '%s\n' "$installed"
        printf 'requirements %s\n' "$(cksum <"$requirements")"
    } >"$venv/tmp/stamp"
    mv "$venv/tmp/stamp" "$stamp"
    rm -rf "$venv/tmp" "$venv/a2-unfinished"
}

# pip unpacks gigabytes in TMPDIR, and /tmp is often a small disk in memory: unpack where the space was counted.
pip() {
    local place=("TMPDIR=$venv/tmp")
    [ "$bin" = bin ] || place=()
    run env PIP_USER=0 ${place[@]+"${place[@]}"} "$python" -m pip install --disable-pip-version-check --no-input \
        --progress-bar off --prefer-binary "$@"
}

# PyTorch's index has builds without CUDA, a tenth of the size. On macOS and Windows PyPI's own builds are like that.
cpu_build() {
    if [ -z "${cpu_answer:-}" ]; then
        cpu_answer=no
        if ! nvidia-smi -L 2>/dev/null | grep -q '^GPU' && curl -fsS -m 3 -o /dev/null "$CPU_WHEELS/torch/" 2>/dev/null; then
            cpu_answer=yes
        fi
    fi
    [ "$cpu_answer" = yes ]
}

check_disk() {
    local free
    free=$(df -Pk "$venv" | awk 'NR > 1 { for (i = NF; i > 1; i--) if ($i ~ /^[0-9]+%$/) { print $(i - 1); exit } }')
    [ -z "$free" ] || [ "$free" -ge $(($1 * 1024 * 1024)) ] ||
        die "only $((free / 1024)) MB are free for $shown, about $1 GB are needed; make room, or name a folder on another disk with A2_VENV"
}

# Run a command with its output in the log; on a terminal, a clock runs beside it.
run() {
    local started=$SECONDS passed status
    "$@" >>"$log" 2>&1 </dev/null &
    child=$!
    printf '%s\n' "$child" >>"$lock/pid"
    while [ -t 2 ] && kill -0 "$child" 2>/dev/null; do
        passed=$((SECONDS - started))
        printf '\r  %d:%02d ' $((passed / 60)) $((passed % 60)) >&2
        sleep 1
    done
    wait "$child"
    status=$?
    child=''
    [ ! -t 2 ] || printf '\r        \r' >&2
    return "$status"
}

# Say in one line why the command $1 failed, and stop.
explain() {
    local last tail
    tail=$(tail -n 40 "$log")
    has() { printf '%s\n' "$tail" | grep -qiE "$1"; }
    if has 'No space left on device|disk quota exceeded|not enough space'; then
        die "the disk is full; make room, or name a folder on another disk with A2_VENV, and run this again (log: $log)"
    elif has 'CERTIFICATE_VERIFY_FAILED'; then
        die "this network or this Python has certificates that pip does not trust; on macOS run 'Install Certificates.command' (log: $log)"
    elif has 'ConnectionError|ConnectTimeout|timed out|name resolution|getaddrinfo|Network is unreachable|Max retries|ProxyError'; then
        die "no network: $1 could not reach its index; connect and run this again (log: $log)"
    elif has 'ensurepip'; then
        die "$1 failed: its Python has no working ensurepip; on Debian and Ubuntu: sudo apt install python3-venv (log: $log)"
    fi
    last=$(printf '%s\n' "$tail" | grep -iE '^(ERROR|.*Error):' | tail -n 1)
    die "$1 failed${last:+: $last} (log: $log)"
}

# --- a Python ----------------------------------------------------------------------------------------------------

# Prints VERSION|what is wrong with it. Runs on Python 2 too.
PROBE='
import sys
v, wrong = sys.version_info, ""
if not (3, 10) <= v[:2] <= (3, 14):
    wrong = "not 3.10 to 3.14"
elif sys.maxsize < 2**32:
    wrong = "32-bit: PyTorch has no build"
elif sys.platform == "darwin" and __import__("platform").machine() == "x86_64":
    wrong = "made for Intel Macs: PyTorch has no build since 2.3"
else:
    try:
        import ensurepip, venv
    except ImportError:
        wrong = "no venv"
print("%d.%d.%d|%s" % (v[0], v[1], v[2], wrong))
'

# Sets base to the first Python that will do. A name on the path may be a shim that fails: each one is run.
find_python() {
    local name answer found='' no_venv=''
    for name in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3.10 python3.14 python3 python py; do
        base=$(type -P "$name")
        if [ -n "$base" ] && [ "$name" = py ]; then
            base=$(py -3 -c 'import sys; print(sys.executable)' 2>/dev/null </dev/null | tr -d '\r')
        fi
        answer=''
        [ -z "$base" ] || answer=$("$base" -c "$PROBE" 2>/dev/null </dev/null) || answer=''
        answer=${answer%$'\r'}
        case $answer in
            *'|') return 0 ;;
            *'|no venv') no_venv=${no_venv:-${answer%.*}} ;;
        esac
        if [ -n "$answer" ]; then found="$found${found:+; }$name is ${answer%|*}, ${answer#*|}"; fi
        [ "$name" != "${PYTHON:-}" ] || die "PYTHON=${found:-$PYTHON does not run}; name a Python 3.10 to 3.14, or unset PYTHON"
    done
    [ -z "$no_venv" ] || die "Python $no_venv has no venv module; on Debian and Ubuntu: sudo apt install python$no_venv-venv"
    die "no Python 3.10 to 3.14 here (${found:-no Python at all}); install one from python.org, or name it: PYTHON=/path/to/python3 ./setup.sh"
}

# --- the launcher ------------------------------------------------------------------------------------------------

write_launcher() {
    local safe_path=$1 path="\$edition"
    [ "$bin" = bin ] || path="\$(cygpath -w \"\$edition\")"
    cat >"$venv/$bin/a2" <<END
#!/bin/sh
# Runs a2 for the edition round the current folder, else for the one that this environment was made for.
edition=\$PWD
while [ ! -f "\$edition/coursekit/parts.py" ]; do
    case \$edition in
        */*) edition=\${edition%/*} ;;
        *) edition=$(quoted "$edition") && break ;;
    esac
done
if [ ! -f "\$edition/coursekit/parts.py" ]; then
    echo "a2: neither here nor in \$edition is the assignment; cd to its folder" >&2
    exit 2
fi
export PYTHONPATH="$path"
exec $(quoted "$(physical "$venv")/$bin/python$exe")${safe_path:+ $safe_path} -m coursekit "\$@"
END
    chmod +x "$venv/$bin/a2"
}

quoted() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

# --- one at a time -----------------------------------------------------------------------------------------------

# The lock holds the process numbers of its owner and of what it started; it is stale when none of them runs.
take_lock() {
    local waited=''
    trap 'stop 130' INT
    trap 'stop 143' TERM HUP
    trap drop_lock EXIT
    until mkdir "$lock" 2>/dev/null; do
        if stale; then
            mv "$lock" "$lock.$$" 2>/dev/null && rm -rf "$lock.$$"
            continue
        fi
        [ -n "$waited" ] || say "Another setup.sh is making $shown; waiting for it (if none is: remove $lock) ..."
        waited=yes
        sleep 1
    done
    holding=yes
    printf '%s\n' $$ >"$lock/pid"
}

stale() {
    local pid pids
    pids=$(cat "$lock/pid" 2>/dev/null)
    if [ -z "$pids" ]; then # made this moment, or its owner died between two lines
        sleep 1
        pids=$(cat "$lock/pid" 2>/dev/null)
    fi
    for pid in $pids; do
        ! kill -0 "$pid" 2>/dev/null || return 1
    done
    [ -d "$lock" ]
}

drop_lock() {
    [ -z "${holding:-}" ] || rm -rf "$lock"
    holding=''
    trap - INT TERM HUP EXIT
}

stop() {
    trap '' INT TERM HUP
    if [ -n "$child" ]; then
        kill "$child" 2>/dev/null
        wait "$child" 2>/dev/null
    fi
    say ''
    say 'setup.sh: stopped; run it again, and it starts afresh'
    exit "$1"
}

main "$@"
