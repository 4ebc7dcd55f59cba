#: pipelines carry data and the last status
echo one two | tr ' ' '\n' | sort -r | head -n 1; true | false; echo $?; ! true; echo $?
#: a subshell keeps its changes
x=1; (x=2; cd /; pwd; echo $x; exit 7); echo $? $x; pwd
#: here-documents with and without expansion
x=v; cat <<A; cat <<'B'; cat <<-C
$x $(echo sub) \$x
A
$x $(echo sub)
B
	tab stripped $x
	C
#: a here-document larger than a pipe
x=0123456789abcdef; i=0; while [ $i -lt 13 ]; do x=$x$x; i=$((i+1)); done; cat <<E | wc -c
$x
E
#: traps at exit and on signals
trap 'echo bye $?' EXIT; trap 'echo usr1' USR1; kill -USR1 $$; echo after; (exit 3)
#: a trap in a subshell is reset
trap 'echo parent' TERM; (trap; kill -TERM $(exec sh -c 'echo $PPID')); echo $?
#: an ignored signal stays ignored in children
trap '' TERM; sh -c 'kill -TERM $$; echo alive'; sh -c 'trap - TERM; kill -TERM $$; echo alive too'
#: exit statuses of programs killed by signals
for s in HUP INT QUIT ILL TRAP ABRT BUS FPE KILL SEGV PIPE ALRM TERM USR1 USR2; do sh -c "kill -$s \$\$"; echo $s $?; done 2>/dev/null
#: what the shell says of a killed job
sh -c 'kill -SEGV $$'; echo $?; sh -c 'kill -ABRT $$'; sh -c 'kill -KILL $$'; sh -c 'kill -BUS $$'; sh -c 'kill -TRAP $$'
#: kill -l both ways
kill -l 1 2 9 10 12 13 14 15 16 17 18 20 23; kill -l | head -n 70; kill -l 137
#: arithmetic
echo $((1+2*3)) $((7/2)) $((-7/2)) $((-7%3)) $((1<<31)) $((0x7fffffff+1)) $((010)) $((3>2?4:5)) $((~0)) $((2**10)) $((1,2))
#: arithmetic at 64 bits
echo $((9223372036854775807+1)) $((1<<62)) $((4294967296*4294967296)) $((-9223372036854775807-1)) $(((1<<40)/3)) $(((-1)>>1)) $((12345678901%97))
#: arithmetic errors
(echo $((1/0))); echo $?; (echo $((1+))); echo $?
#: arithmetic assignment
x=5; echo $((x+=3)) $((x++)) $x $((--x)) $((y=x*2)) $y
#: case patterns
for w in a abc b.c '*' '' x1 [; do case $w in a) echo A;; ab*) echo AB;; *.?) echo dot;; \*) echo star;; '') echo empty;; x[0-9]) echo digit;; *) echo other;; esac; done
#: functions, local, return, recursion
f() { local n=$1; [ $n -le 1 ] && { echo 1; return; }; echo $(( n * $(f $((n-1))) )); }; f 6; g() { return 9; }; g; echo $?
#: deep function recursion
f() { [ $1 -eq 0 ] && { echo bottom; return; }; f $(($1-1)); }; f 300
#: positional parameters
set -- a 'b c' d; echo $# "$2" $*; for i in "$@"; do echo "<$i>"; done; shift 2; echo $1 $#; set --; echo $#
#: read splits at IFS
printf 'a:b c:d\n x  y \nlast' | { IFS=: read p q r; echo "$p|$q|$r"; read l; echo "$l|"; read e; echo $? "$e"; read z; echo $?; }
#: read -r, -n and -t
printf 'a\\b\\\nc\nxyz' | { read -r l; echo "$l"; read l; echo "$l"; read -n 2 k; echo "$k"; }; read -t 0 v </dev/null; echo $?
#: parameter expansion
v=/usr/lib/libc.so.6; unset u; echo ${v##*/} ${v%/*} ${v#/*/} ${v%%.*} ${#v} ${u:-def} ${u:=set} $u ${u:+alt} ${v:5:3} ${v/lib/LIB} ${v//lib/L}
#: an unset parameter with an error message
(echo ${nope:?is missing}; echo not reached); echo $?; set -u; (echo $nope); echo $?
#: quoting
echo "a  b" 'c $x' d\ e "`echo "in ner"`" "$(echo "x  y")" a""b; printf '%s\n' "$*" "" ''
#: globbing
touch a1 a2 b1 .hid 'sp ace'; mkdir d; touch d/a3; echo *; echo a*; echo .h*; echo [!a]*; echo */a?; echo nomatch*; set -f; echo *
#: redirections
echo out >f; echo more >>f; cat <f; { echo e >&2; echo o; } >g 2>&1; cat g; ls nothere 2>err; cat err; exec 3>h; echo three >&3; exec 3>&-; cat h; echo x >&3; echo $?
#: read-write redirection and descriptors above ten
printf 'abcdef' >f; exec 5<>f; read -n 2 x <&5; printf XX >&5; exec 5<&-; cat f; echo; echo hi 9>&1 >&9
#: noclobber
set -C; echo a >f; echo b >f; echo $?; echo c >|f; cat f
#: redirection failures
echo x >/nodir/f; echo $?; cat </nofile; echo $?; : >.; echo $?; echo y >/proc/self/status; echo $?
#: background jobs and wait
sleep 0.2 & p=$!; (exit 5) & wait $!; echo $?; wait $p; echo $?; wait; echo $?; wait 99999; echo $?
#: wait is interrupted by a trapped signal
trap 'echo got' USR1; (sleep 0.1; kill -USR1 $$) & sleep 1 & wait $!; echo $?
#: jobs list
set -m; sleep 0.3 & jobs | cut -c 1-12; wait; jobs
#: kill a background job
sleep 30 & kill $!; sleep 0.2; wait $!; echo $?; sleep 30 & kill -9 $!; sleep 0.2; wait $!; echo $?; kill $! 2>/dev/null; echo $?
#: set -e
(set -e; false; echo no); echo $?; (set -e; false || true; if false; then :; fi; ! true; echo yes; (exit 4); echo no); echo $?
#: set -x goes to standard error
set -x; y=1; echo "a b" $y; set +x
#: command substitution strips newlines and keeps status
x=$(printf 'a\n\n\n'; exit 3); echo $? "[$x]"; echo "$(echo a; echo b)"
#: nested command substitution and pipes
echo $(echo $(echo $(echo deep | tr a-z A-Z))) `echo \`echo back\``
#: loops with break and continue
for i in 1 2 3 4 5; do [ $i = 2 ] && continue; [ $i = 5 ] && break; for j in a b; do [ $j = b ] && continue 2; echo $i$j; done; done; until false; do break; done; echo $?
#: a loop in a pipeline
seq 1 5 | while read n; do s=$((s+n)); echo $s; done; echo "[$s]"
#: exec replaces the shell
(exec echo replaced; echo never); (exec /nonexistent; echo never); echo $?; (exec /etc; echo never); echo $?
#: command not found and not executable
nosuchcmd; echo $?; touch plain; ./plain; echo $?; /; echo $?; ./none; echo $?
#: running a script by its interpreter line
printf '#!/bin/busybox sh\necho "$0" "$@"\nexit 4\n' >s; chmod +x s; ./s a 'b c'; echo $?; printf '#!/nowhere\n' >t; chmod +x t; ./t; echo $?
#: a script without an interpreter line
printf 'echo plain $1\n' >s; chmod +x s; ./s arg
#: environment goes to children
A=1 sh -c 'echo $A'; echo "[$A]"; export B=2; sh -c 'echo $B'; env -i X=y env; unset B; sh -c 'echo "[$B]"'
#: eval and dot
x='echo "$y"'; y='a b'; eval $x; echo 'echo dotted $1; return 3' >d; . ./d arg; echo $?; . ./none; echo unreached
#: test operators on strings and numbers
for t in 'a = a' 'a != b' '-z ""' '-n ""' '3 -lt 10' '3 -gt 10' '010 -eq 10' '! a' 'a -a ""' 'a -o ""'; do eval "[ $t ]"; echo "$t: $?"; done; [ 3 -eq x ]; echo $?; [ a = ; echo $?
#: test operators on files
touch f; mkdir d; ln -s f l; ln -s none dl; mkfifo p; chmod 4755 f; chmod 1777 d; for t in 'e f' 'f f' 'd d' 'L l' 'h dl' 'e dl' 'p p' 's f' 'r f' 'x f' 'u f' 'g f' 'k d' 'c /dev/null' 'b /dev/null' 'S f' 'O f' 'G f'; do test -$t; echo "$t $?"; done; test f -ef l; echo $?
#: test -nt and -ot
touch -d '2020-01-01 00:00:00' a; touch -d '2021-01-01 00:00:00' b; test a -nt b; echo $?; test a -ot b; echo $?; test b -nt none; echo $?
#: test -t
test -t 0 </dev/null; echo $?; test -t 9; echo $?
#: umask
umask; umask 027; umask -S; : >f; mkdir d; stat -c '%a %n' f d; umask u=rwx,g=,o=; umask
#: cd, CDPATH, pwd -P
mkdir -p a/b; ln -s a/b l; cd l; pwd | sed 's,.*/,,'; pwd -P | sed 's,.*/a,a,'; cd ..; ls; cd /nonexistent; echo $?; cd - >/dev/null; OLDPWD=; cd a 2>&1; echo $?
#: getopts
set -- -a -b val -c rest -z; while getopts ab:c o; do echo "$o $OPTARG $OPTIND"; done; shift $((OPTIND-1)); echo "$@"; set -- -q; getopts ab o; echo "$o"
#: printf of the shell
printf '%d %i %o %x %X %c %s %5s|%-5s|%05d %e %.2f\n' 10 -3 8 255 255 abc str r l 42 12345.678 3.14159; printf '%b\n' 'a\tb\0101'; printf '%s-%s\n' 1 2 3; printf '%d\n' 0x1f 010 "'A" abc; echo $?
#: echo with escapes
echo -e 'a\tb\nc\\d\x41\0101'; echo -n no newline; echo; echo -E 'a\tb'
#: type, command -v, hash
type echo cd nonesuch; echo $?; command -v sh ls nonesuch; command -v if
#: ulimit values
ulimit -n 20; ulimit -n; ulimit -c 0; ulimit -c; ulimit -f 100; ulimit -f; ulimit -Sn 10; ulimit -Sn; ulimit -Hn
#: a file size limit
ulimit -f 1; (dd if=/dev/zero of=big bs=1024 count=3 2>/dev/null); echo $?; wc -c <big; trap '' XFSZ; dd if=/dev/zero of=big2 bs=1024 count=3 2>&1 | head -n 1
#: a limit of descriptors
ulimit -n 8; exec 3</dev/null 4</dev/null 5</dev/null 6</dev/null 7</dev/null; exec 8</dev/null; echo $?
#: SIGPIPE ends the writer
yes | head -n 2; (yes; echo "status $?" >&2) | head -n 1 >/dev/null; (trap '' PIPE; echo first; sleep 0.1; echo second || echo failed >&2) | head -n 1
#: a function with a redirection and a group in the background
f() { cat; } <<E
body
E
f; { echo bg; } & wait
#: many children at once
i=0; while [ $i -lt 20 ]; do (exit $i) & i=$((i+1)); done; wait; echo done; for i in 1 2 3 4 5 6 7 8; do echo $i & wait $!; done
#: a long pipeline
seq 1 100 | cat | cat | cat | cat | cat | cat | cat | cat | tail -n 1
#: alias in a script
alias e='echo aliased'
e now; unalias e; e now; echo $?
#: special parameters
sh -c 'echo $0 $# $1' name arg; false; echo $?; echo $- | tr -d 'ms'; set -- "$@" x; echo "${1}0 ${10}"
#: readonly
readonly r=1; (r=2; echo no); echo $?; echo $r
#: times and SECONDS kinds
times | wc -l; echo ${PPID:+set} ${LINENO}
#: a syntax error
sh -c 'if true; then echo x'; echo $?; sh -c 'echo )'; echo $?; sh -c 'for'; echo $?
#: a script from standard input
printf 'echo from stdin\nread x\nfood\necho "$x"\n' | sh; echo 'echo $1' | sh -s arg
#: process substitution by fifo
mkfifo p; (echo through fifo >p) & read x <p; echo $x; wait
#: two readers of one fifo take turns
mkfifo p; (exec 4>p; echo 1 >&4; sleep 0.1; echo 2 >&4) & { read a; read b; echo $a $b; } <p; wait; cat p & sleep 0.1; echo z >p; wait
#: stopping and continuing a child
sh -c 'while :; do sleep 0.05; done' & p=$!; kill -STOP $p; sleep 0.1; awk '{print $3}' /proc/$p/stat; kill -CONT $p; sleep 0.02; kill -TERM $p; sleep 0.2; wait $p; echo $?
