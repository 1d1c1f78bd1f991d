#!/usr/bin/env bash
# Makes the environment if it is not there, then runs a command in it.
#   ./setup.sh                 make the environment, and say what to do next
#   ./setup.sh COMMAND...      run `a2 COMMAND...`; --help explains a command
#   ./setup.sh test [ARGS...]  run the quick tests; with ARGS, pytest ARGS
# Commands:
#   grade [PART...]            your points, what is wrong, what to do next
#   watch [PART...]            the same whenever you save a file, until Ctrl-C
#   hint FUNCTION              one more hint each time
#   play                       try your functions on photographs in JupyterLab
#   notebooks [PART...]        run notebooks from a fresh kernel
#   submit                     check your work and pack it into submission.zip
#   doctor                     check this installation, say how to repair it
# For staff: start, release, reference, check, readme, train, make-sprites,
#   classroom, feedback, questions, similar, gradescope.
#   PYTHON=/path/to/python3    the Python to use, 3.10 to 3.14
#   A2_VENV=DIR                another folder than .venv
#   A2_LATEST=1                newest packages, not coursekit/constraints.txt

[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # 3.2 or newer: Linux, macOS, WSL, Git Bash on Windows
set -u && unset CDPATH PYTHONHOME
CPU_WHEELS=https://download.pytorch.org/whl/cpu # builds without CUDA, a tenth of the size
edition=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
constraints=$edition/coursekit/constraints.txt
venv=${A2_VENV:-$edition/.venv}
case $venv in /* | [A-Za-z]:*) ;; *) venv=$PWD/$venv ;; esac
case $OSTYPE in msys* | cygwin*) bin=$venv/Scripts ;; *) bin=$venv/bin ;; esac
log=$venv/setup.log  # what pip said; also the lock, and the mark of a folder that this script may empty
stamp=$venv/a2-stamp # Python's version, the folder, and a sum of every requirements file that is installed
say() { printf '%s\n' "$*" >&2; }
die() { say "setup.sh: $*"; exit 2; }

main() {
    local version safe=-P
    case ${1:-} in -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$edition/setup.sh" && exit ;; esac
    files=("$edition/requirements.txt" "$edition/coursekit/staff/requirements.txt" "$edition/tests/staff/requirements.txt")
    [ "${1:-}" = test ] || unset 'files[2]'
    [ -f "${files[1]}" ] || files=("${files[0]}") # a student edition
    ready || make_environment
    exec 9>&- # the lock, if there is one. For glibc: freed memory is kept, not returned and asked for again at each tensor, and lies in pages of 2 MB.
    export MALLOC_MMAP_MAX_=${MALLOC_MMAP_MAX_:-0} MALLOC_TOP_PAD_=${MALLOC_TOP_PAD_:-67108864}
    export MALLOC_TRIM_THRESHOLD_=${MALLOC_TRIM_THRESHOLD_:-4294967296} GLIBC_TUNABLES=${GLIBC_TUNABLES:-glibc.malloc.hugetlb=1}
    export PYTHONPATH=$edition
    read -r _ version <"$stamp"
    if [ $# = 0 ]; then
        echo "Python $version is ready in $venv. For a2 and jupyter on your path: source '$bin/activate'"
        echo "Next, in $edition: a2 doctor (is everything in order?), jupyter lab (open notebooks/1_saliency.ipynb), a2 grade (your points), a2 play (a page to play with)"
    elif [ "$1" = test ]; then
        shift && cd "$edition" || exit
        [ ! -f tests/staff/install_more.sh ] || bash tests/staff/install_more.sh "$bin/python"
        [ $# -gt 0 ] || [ ! -d tests/staff ] || set -- -n 3 --dist worksteal # three processes for two cores: some tests wait. Who is done takes over tests of another
        export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
        case " $*" in *' -m'*) ;; *) set -- -m 'not slow' "$@" ;; esac
        exec "$bin/python" -m pytest -rfEs "$@" # a test that was not tried is named with its reason
    else # -P: a coursekit in the current folder must not stand in for the edition's; Python 3.10 has no such option
        case $version in 3.10.*) safe='' ;; esac
        exec "$bin/python" $safe -m coursekit "$@"
    fi
}

sum() { cat "$1" "$constraints" | cksum; }
tested_python() { sed -n 's/^# Python //p' "$constraints"; }
whole() { [ -x "$bin/python" ] && grep -qxF "place $(cd "$venv" && pwd -P)" "$stamp" 2>/dev/null; }

# Is everything installed? Starts no Python: this is all that a second run costs.
ready() {
    whole || return 1
    for file in "${files[@]}"; do grep -qxF "$(sum "$file")" "$stamp" || return 1; done
}

make_environment() {
    local gigabytes=7 options=() free # what an install takes, with room for pip to unpack in
    mkdir -p "$venv" 2>/dev/null && [ -w "$venv" ] || die "cannot write to $venv; copy the assignment to a folder of your own"
    [ -f "$log" ] || [ -z "$(ls -A "$venv")" ] || die "$venv was not made by this script; remove it, or set A2_VENV to another folder"
    exec 9>>"$log" || die "cannot write $log"
    if type flock >/dev/null 2>&1 && ! flock -n 9; then # macOS has no flock
        say "Another setup.sh (or the pip of a killed one) is working in $venv; waiting for it ..."
        flock 9 && ready && return
    fi
    : >"$log"
    if [[ $OSTYPE != linux* ]]; then
        gigabytes=2 # PyPI's own builds are without CUDA there
    elif ! nvidia-smi -L 2>/dev/null | grep -q '^GPU' && curl -fsS -m 3 -o /dev/null "$CPU_WHEELS/torch/" 2>/dev/null; then
        gigabytes=2 options=(--extra-index-url "$CPU_WHEELS")
    fi
    if whole; then
        say "Installing what is missing in $venv ..."
    else # none is there, or half of one, or it was moved: from nothing
        find_python
        free=$(df -Pk "$venv" | sed -n 's/.* \([0-9][0-9]*\)  *[0-9]*% .*/\1/p')
        [ -z "$free" ] || [ "$free" -ge $((gigabytes * 1048576)) ] ||
            die "only $((free / 1024)) MB are free for $venv, about $gigabytes GB are needed; make room, or set A2_VENV to a folder on another disk"
        say "Making the environment in $venv with $base (once; a few minutes) ..."
        # More than once: a child of a killed ensurepip may still be writing.
        for _ in 1 2 3 4 5; do find "$venv/" -mindepth 1 -maxdepth 1 ! -name setup.log -exec rm -rf {} + 2>/dev/null && break || sleep 1; done
        run "$base" -m venv "$venv" || explain "$base -m venv"
        # The pip that Python 3.11 brings takes 15 s longer to choose the packages. Where no newer one can be had, it will do.
        run env PIP_USER=0 "$bin/python" -m pip --retries 0 --disable-pip-version-check install --no-input --progress-bar off 'pip>=26'
    fi
    install
}

install() {
    version=$("$bin/python" -c 'import platform; print(platform.python_version())' | tr -d '\r')
    if [ -z "${A2_LATEST:-}" ] && [ "${version%.*}" = "$(tested_python)" ]; then
        options+=(-c "$constraints")
    else
        say "On Python $version: the newest packages. (Those of coursekit/constraints.txt are for Python $(tested_python).)"
    fi
    for file in "${files[@]}"; do options+=(-r "$file"); done
    mkdir -p "$venv/tmp" # pip unpacks gigabytes in TMPDIR, and /tmp is often a small disk in memory
    [ ! -f "$stamp" ] || mv "$stamp" "$stamp.old" # back again below if nothing was unpacked: then what was there is whole
    if ! run env PIP_USER=0 TMPDIR="$venv/tmp" "$bin/python" -m pip install --no-input --disable-pip-version-check \
        --progress-bar off --prefer-binary --no-compile "${options[@]}"; then
        [ ! -f "$stamp.old" ] || grep -q '^Installing collected' "$log" || mv "$stamp.old" "$stamp"
        explain pip
    fi
    # Bytecode, on all cores: pip makes it on one. Where a file cannot be compiled, nothing is lost but time.
    run bash -c 'find "$0" -name "*.py" -print0 | xargs -0 -n 300 -P "$(getconf _NPROCESSORS_ONLN || echo 2)" "$1" -m compileall -qq' "$venv" "$bin/python"
    # a2 in the environment: setup.sh of the edition round the current folder, else of the one that it was made for.
    cat >"$bin/a2" <<END && chmod +x "$bin/a2"
#!/usr/bin/env bash
edition=\$PWD made_for=$(printf %q "$edition")
while [ -n "\$edition" ] && [ ! -f "\$edition/coursekit/parts.py" ]; do edition=\${edition%/*}; done
A2_VENV=$(printf %q "$venv") exec "\${edition:-\$made_for}/setup.sh" "\$@"
END
    printf '%s\n' "python $version" "place $(cd "$venv" && pwd -P)" >"$venv/tmp/stamp"
    for file in "${files[@]}"; do sum "$file" >>"$venv/tmp/stamp"; done
    mv "$venv/tmp/stamp" "$stamp" && rm -rf "$venv/tmp" "$stamp.old"
    say "Done in $SECONDS s. For a2 on your path: source $bin/activate"
}

# Sets base to the first Python that will do. A name on the path may be a shim that fails: each one is run.
find_python() {
    local name names found=''
    names=("python$(tested_python)" python3.13 python3.12 python3.11 python3.10 python3.14 python3 python py)
    [ -z "${PYTHON:-}" ] || names=("$PYTHON")
    for name in "${names[@]}"; do
        if base=$("$name" -c "$PROBE" 2>"$log" </dev/null) && [ -x "$base" ]; then return 0; fi
        case $(tail -n 1 "$log") in [23].*) found="$found${found:+; }$name is $(tail -n 1 "$log")" ;; esac
    done
    die "no Python 3.10 to 3.14 ${PYTHON:+with PYTHON=$PYTHON }(${found:-none that runs}); install one from python.org, or name it: PYTHON=/path/to/python3 ./setup.sh"
}
PROBE='import sys
v = sys.version_info
if not (3, 10) <= v[:2] <= (3, 14): sys.exit("%d.%d.%d" % v[:3])
try: import ensurepip, venv
except ImportError: sys.exit("%d.%d without venv: sudo apt install python%d.%d-venv on Debian and Ubuntu" % (v[:2] * 2))
sys.stdout.write(sys.executable)'

# Run a command with its output in the log; where setpriv is (Linux), it dies with this script.
run() {
    if setpriv --pdeathsig KILL true 2>/dev/null; then set -- setpriv --pdeathsig KILL "$@"; fi
    progress 9>&- &
    "$@" >>"$log" 2>&1 </dev/null
    local status=$?
    { kill $! && wait $!; } 2>/dev/null
    [ ! -t 2 ] || printf '\r\033[K' >&2
    return $status
}

# The time, and what pip is doing: on a terminal a line that changes, elsewhere a line every 15 seconds.
progress() {
    while sleep 1 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
        doing=$(grep -E '^ *(Collecting|Downloading|Using cached|Processing|Building|Installing) ' "$log" | tail -n 1)
        # pip names all that it unpacks at once: the newest folder is what it is at.
        case $doing in Installing*) doing="Installing $(ls -t "$venv"/lib/python*/site-packages | grep -vm 1 dist-info)" ;; esac
        doing=$(printf '%d:%02d  %s' $((SECONDS / 60)) $((SECONDS % 60)) "${doing:-python -m venv}" | sed 's/   */  /; s/ (from.*//; s#/.*/##' | cut -c 1-78)
        if [ -t 2 ]; then printf '\r\033[K%s' "$doing" >&2; elif [ $((SECONDS % 15)) = 0 ]; then say "$doing"; fi
    done
}

# Say in one line why $1 failed, and stop.
explain() {
    last=$(grep -iE '^(ERROR|.*Error):' "$log" | tail -n 1)
    case $(tail -n 40 "$log") in
        *'No space left'* | *'quota exceeded'*) last='the disk is full; make room, or set A2_VENV to a folder on another disk' ;;
        *CERTIFICATE_VERIFY_FAILED*) last="its certificates are not trusted; on macOS run 'Install Certificates.command'" ;;
        *ConnectionError* | *ConnectTimeout* | *'timed out'* | *ProxyError*) last='no network: connect, and run this again' ;;
        *'No matching distribution'* | *ResolutionImpossible*) last="$last; if your Python and machine are usual ones, try A2_LATEST=1" ;;
    esac
    die "$1 failed${last:+: $last} (log: $log)"
}

main "$@"
