# Sourced by build.sh: finds the cross compiler, fetches musl's development package without installing it, and defines
#   musl_cc ARGS…    compile or link against static musl
#   glibc_cc ARGS…   the same against Debian's static glibc
# Debian's package holds musl for mipsel; the compiler is the one for glibc, so headers, start files and libc are named explicitly.

CROSS=mipsel-linux-gnu-
MUSL_CACHE=${MUSL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/shuntbox/musl}
export SOURCE_DATE_EPOCH=1104537600 TZ=UTC LC_ALL=C

command -v ${CROSS}gcc >/dev/null || { echo "build: ${CROSS}gcc not found: apt-get install gcc-mipsel-linux-gnu" >&2; exit 1; }

fetch_musl() {
	[ -f "$MUSL_CACHE/usr/lib/mipsel-linux-musl/libc.a" ] && return
	mkdir -p "$MUSL_CACHE"
	(
		cd "$MUSL_CACHE"
		if ! ls musl-dev_*_mipsel.deb >/dev/null 2>&1; then
			dpkg --print-foreign-architectures | grep -qx mipsel || { dpkg --add-architecture mipsel && apt-get -q update; }
			apt-get -q download musl-dev:mipsel
		fi
		dpkg-deb -x musl-dev_*_mipsel.deb .
	)
}
fetch_musl

MUSL_LIB=$MUSL_CACHE/usr/lib/mipsel-linux-musl
MUSL_INC=$MUSL_CACHE/usr/include/mipsel-linux-musl
GCC_DIR=$(dirname "$(${CROSS}gcc -print-libgcc-file-name)")

# Non-PIC code with fixed addresses, as static programs on routers have; abicalls only because libc.a is compiled with them.
MACHINE="-EL -mips32r2 -mabi=32 -mabicalls -mno-shared -mplt -fno-pic -fno-pie"
COMMON="$MACHINE -std=gnu11 -O2 -Wall -Wextra -Werror -Wno-infinite-recursion -fno-asynchronous-unwind-tables -ffile-prefix-map=$ROOT=. -frandom-seed=shuntbox"

musl_cc() {
	case " $* " in
	*" -c "*)
		${CROSS}gcc $COMMON -fno-stack-protector -nostdinc -isystem "$MUSL_INC" -isystem "$GCC_DIR/include" "$@" ;;
	*)
		${CROSS}gcc $MACHINE -static -no-pie -nostdlib -Wl,--build-id=none -Wl,-z,noexecstack \
		    "$MUSL_LIB/crt1.o" "$MUSL_LIB/crti.o" "$@" -L"$MUSL_LIB" \
		    -Wl,--start-group -lc "$GCC_DIR/libgcc.a" "$GCC_DIR/libgcc_eh.a" -Wl,--end-group "$MUSL_LIB/crtn.o" ;;
	esac
}

glibc_cc() {
	${CROSS}gcc -EL -mips32r2 -mabi=32 -std=gnu11 -O2 -Wall -Wextra -static -no-pie -Wl,--build-id=none -ffile-prefix-map="$ROOT"=. "$@" -lm
}
