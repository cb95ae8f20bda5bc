#!/usr/bin/env bash
# Installs what walferry is built, run and tested with, on Debian 12, Debian 13 and Ubuntu 24.04: `make setup`.
# Runs as root or through sudo, asks nothing, and does nothing where everything is there. librdkafka and yyjson
# are built into .deps/ where the system's are missing or too old; the package sources stay as they are.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly DEPS=$PWD/.deps
export PKG_CONFIG_PATH=$DEPS/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}

# what it is for | packages (the same names on all three systems)
readonly NEEDS='
compile with gcc and clang     | gcc libc6-dev clang libclang-rt-dev cmake ninja-build make pkgconf git ca-certificates
libraries of the programs      | libpq-dev libuv1-dev libsqlite3-dev libmicrohttpd-dev
unit tests, lint and coverage  | libcmocka-dev clang-format clang-tidy universal-ctags gcovr
PostgreSQL for demo and tests  | postgresql pgbouncer
Python for demo and tests      | python3 python3-psycopg python3-pytest python3-pytest-xdist
'
readonly SOURCE_BUILD_NEEDS='g++ xz-utils libssl-dev libsasl2-dev libzstd-dev liblz4-dev libcurl4-openssl-dev zlib1g-dev'

# Libraries that may be too old: pkg-config name, least version, package, then what is built in its place:
# the upstream sources of Debian 13's package, their path on a Debian mirror, their SHA-256.
readonly LIBRARIES='
rdkafka 2.3 librdkafka-dev librdkafka-2.8.0 pool/main/libr/librdkafka/librdkafka_2.8.0.orig.tar.gz 5bd1c46f63265f31c6bfcedcde78703f77d28238eadf23821c2b43fc30be3e25
yyjson  0.9 libyyjson-dev  yyjson-0.10.0    pool/main/y/yyjson/yyjson_0.10.0+ds.orig.tar.xz            ae6fde69a193e10afab426ef13f113d6903446405f9db9ee98bfb572bd6c961a
'

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# The packages among the arguments that are not installed, on one line.
missing_packages() {
    local package
    for package in "$@"; do
        # One status for each architecture; packages waiting for triggers are installed, too.
        case " $(dpkg-query -W -f='${db:Status-Status} ' "$package" 2>/dev/null)" in
            *' installed '* | *' triggers-'*) ;;
            *) printf '%s ' "$package" ;;
        esac
    done
}

have_library() { pkg-config --exists "$1 >= $2" 2>/dev/null; }

# The version that apt would install, or nothing.
candidate() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p' | grep -v '(none)' || true; }

packaged_is_enough() {
    local version
    version=$(candidate "$2")
    [ -n "$version" ] && dpkg --compare-versions "$version" ge "$1"
}

require_rights() {
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
        die "packages are missing ($1): run this as root, or install sudo"
}

apt_update() {
    say "reading the package lists"
    as_root apt-get update -qq || say "some package lists could not be read; going on with the others"
}

# Nothing that is installed here shall start by itself: no server, no pooler, no "main" cluster. What is in
# place already (a policy, a setting, a running server) stays as it is.
install_packages() {
    local policy=/usr/sbin/policy-rc.d clusters=/etc/postgresql-common/createcluster.conf
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
        undo="rm -f $policy;"
        as_root chmod 755 $policy
    fi
    # The configuration file must exist before a server package is unpacked.
    case " $* " in *" postgresql "*)
        apt_install postgresql-common
        echo 'create_main_cluster = false # walferry setup' | as_root tee -a $clusters >/dev/null
        undo="$undo sed -i '/# walferry setup\$/d' $clusters;" ;;
    esac
    apt_install "$@"
    case " $* " in *" pgbouncer "*)
        if [ -d /run/systemd/system ]; then as_root systemctl disable --quiet pgbouncer || true; fi ;;
    esac
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold "$@" >"$log" 2>&1 ||
        { tail -n 20 "$log" >&2; die "apt-get could not install: $*"; }
}

# The Debian mirrors that apt is set up with; on another system than Debian there is none.
mirrors() {
    apt-get indextargets --format '$(LABEL)|$(REPO_URI)' 'Created-By: Packages' | sed -n 's/^Debian|//p' | sort -u
}

fetch() { # PATH SHA256 FILE
    local mirror
    for mirror in $(mirrors); do
        /usr/lib/apt/apt-helper -qq download-file "${mirror%/}/$1" "$3" "SHA256:$2" >"$log" 2>&1 || continue
        echo "$2  $3" | sha256sum --check --quiet && return
    done
    tail -n 5 "$log" >&2 || true
    die "none of apt's Debian mirrors gave $1 with SHA-256 $2: put that file into .deps/download/ and run again"
}

build_rdkafka() { # SOURCE BUILD
    cmake -S "$1" -B "$2" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$DEPS" -DCMAKE_INSTALL_LIBDIR=lib \
        -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DRDKAFKA_BUILD_STATIC=ON -DRDKAFKA_BUILD_EXAMPLES=OFF \
        -DRDKAFKA_BUILD_TESTS=OFF -DWITH_SSL=ON -DWITH_SASL=ON -DWITH_ZSTD=ON -DENABLE_LZ4_EXT=ON -DWITH_CURL=ON
    cmake --build "$2" --parallel "$(nproc)"
    cmake --install "$2"
    # A static build installs rdkafka-static.pc only, which leaves out what the archive needs.
    sed -e 's/^Name:.*/Name: librdkafka/' -e "s|^prefix=.*|prefix=$DEPS|" \
        -e 's/^Requires.private:.*/Requires: libssl libcrypto libsasl2 libzstd liblz4 libcurl zlib/' \
        "$DEPS/lib/pkgconfig/rdkafka-static.pc" >"$DEPS/lib/pkgconfig/rdkafka.pc"
}

build_yyjson() { # SOURCE BUILD
    cmake -S "$1" -B "$2" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$DEPS" -DCMAKE_INSTALL_LIBDIR=lib \
        -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DBUILD_SHARED_LIBS=OFF
    cmake --build "$2" --parallel "$(nproc)"
    cmake --install "$2"
}

build_library() { # MODULE NAME PATH SHA256
    local work archive=$DEPS/download/${3##*/}
    say "building $2 into .deps/"
    mkdir -p "$DEPS/download"
    echo "$4  $archive" | sha256sum --check --status 2>/dev/null || fetch "$3" "$4" "$archive"
    work=$(mktemp -d "$DEPS/build.XXXXXX")
    mkdir "$work/source"
    tar -xf "$archive" -C "$work/source" --strip-components=1
    "build_$1" "$work/source" "$work/build" >"$log" 2>&1 ||
        { tail -n 30 "$log" >&2; rm -rf "$work"; die "$2 could not be built"; }
    rm -rf "$work"
    have_library "$1" "${2##*-}" || die "$2 was built, but pkg-config does not find it"
}

undo= # what install_packages changed for as long as it runs
log=$(mktemp)
clean_up() {
    rm -f "$log"
    [ -z "$undo" ] || as_root sh -c "$undo"
}
trap clean_up EXIT

all=$(sed 's/.*|//' <<<"$NEEDS" | tr '\n' ' ')
# shellcheck disable=SC2086 # lists of words
missing=$(missing_packages $all)
lacking=
while read -r module least _; do
    [ -z "$module" ] || have_library "$module" "$least" || lacking="$lacking $module"
done <<<"$LIBRARIES"

if [ -z "$missing$lacking" ]; then
    say "everything is there, nothing to do"
    exit 0
fi
command -v apt-get >/dev/null || die "this is not Debian or Ubuntu; install by hand:$all, librdkafka >= 2.3, yyjson >= 0.9"

# Two at once, as from `make demo` beside `make test`, would build over one another.
mkdir -p "$DEPS"
exec 9>"$DEPS/.lock"
flock 9

if [ -n "$missing" ] || [ -z "$(candidate libyyjson-dev)$(mirrors)" ]; then
    require_rights "$missing"
    apt_update
fi

# Takes the packaged library where it is new enough, else its sources and what they need.
to_build=
while read -r module least package name path sha256; do
    case " $lacking " in *" $module "*) ;; *) continue ;; esac
    if packaged_is_enough "$least" "$package"; then
        missing="$missing$package "
        continue
    fi
    to_build="$to_build$module $name $path $sha256"$'\n'
done <<<"$LIBRARIES"
# shellcheck disable=SC2086
[ -z "$to_build" ] || missing="$missing$(missing_packages $SOURCE_BUILD_NEEDS)"

if [ -n "$missing" ]; then
    require_rights "$missing"
    say "installing with apt-get, without recommended packages:"
    while IFS='|' read -r why packages; do
        # shellcheck disable=SC2086
        wanted=$(for p in $packages; do case " $missing" in *" $p "*) printf ' %s' "$p" ;; esac; done)
        [ -z "$wanted" ] || printf '         %s:%s\n' "${why%"${why##*[! ]}"}" "$wanted"
    done <<<"$NEEDS
Kafka client and JSON parser | librdkafka-dev libyyjson-dev
to build them from source | $SOURCE_BUILD_NEEDS"
    # shellcheck disable=SC2086
    install_packages $missing
fi
while read -r module name path sha256; do
    [ -z "$module" ] || build_library "$module" "$name" "$path" "$sha256"
done <<<"$to_build"
say "done"
