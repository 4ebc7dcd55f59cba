#: sed substitution
printf 'hello world\nfoo bar\n' >f; sed 's/o/0/' f; sed 's/o/0/g;s/\(f\)\(.*\)/\2\1/' f; sed -n '1p;$=' f; sed '/foo/d' f; sed 's/[aeiou]/<&>/2' f; sed -E 's/(.)(.)/\2\1/g' f; sed 's/x/y/;t;s/^/no /' f
#: sed editing commands
seq 5 >f; sed '2a\
after' f; sed '3i\before' f; sed '2,4c\changed' f; sed '1!G;h;$!d' f; sed 'N;P;D' f; sed -n '2{p;q}' f; sed '1~2d' f; sed '$!N;s/\n/+/' f; sed 'y/123/abc/' f; sed -n '/2/,/4/p' f; sed '0,/3/d' f; sed = f | head -n 4
#: sed in place, w and r files
seq 3 >f; sed -i 's/2/two/' f; cat f; sed -i.bak '1d' f; ls; sed -n 's/3/&/w out' f; cat out; sed '/two/r out' f; sed -f none f; echo $?; sed 's/a' f; echo $?; sed -n '$p' f none; echo $?
#: sed branches and hold space
printf 'a,b,c\n' | sed ':l;s/,/\n/;tl'; seq 3 | sed -n 'H;${x;s/\n/,/g;p}'; echo abc | sed 's/b*/X/g;s/$/\t|/'; echo aAbB | sed 's/[a-z]/\U&/g;s/A/x/I'; echo path/to | sed 's|/|\\|'
#: awk fields and patterns
printf 'a 1\nb 2\nc 3\n' >f; awk '{s+=$2} END {print s, NR, NF}' f; awk '$2>1{print $1}' f; awk -F' ' -v x=9 'BEGIN{OFS="-"}{$1=$1; print $0,x}' f; awk '/b/,/c/' f; awk 'NR==2{exit 3}' f; echo $?
#: awk functions
awk 'BEGIN{print length("abc"), substr("hello",2,3), index("hello","l"), toupper("x"), sprintf("%05.2f|%x|%c|%s",3.14159,255,65,"s"); n=split("a:b:c",a,":"); print n,a[3]; gsub(/o/,"0",s="foo"); print match("foobar",/o+/),RSTART,RLENGTH; print int(-3.7), 2^10, 7%3, 1e6, 0.1+0.2, 1/3, 1e300*1e10, log(10), exp(1), sqrt(2), sin(1), cos(1), atan2(1,2)}'
#: awk arrays and loops
printf 'x y x z y x\n' | awk '{for(i=1;i<=NF;i++)c[$i]++} END{for(k in c)print k,c[k]}' | sort; awk 'BEGIN{a[1,2]=3; if((1,2) in a)print "in"; delete a[1,2]; print length(a); while(i<3)print i++; do{j++}while(j<5); print j}'
#: awk getline, pipes, system and close
seq 3 >f; awk 'BEGIN{while((getline l<"f")>0)print "l:" l; "echo cmd"|getline x; print x; print "z\na"|"sort"; close("sort"); r=system("exit 5"); print r; print "err">"/dev/stderr"; print ENVIRON["HOME"]}'; awk 'BEGIN{getline; print "got " $0}' f; awk 'BEGIN{print > "o1"; print "x" >> "o1"}'; wc -c o1
#: awk user functions and regexps
awk 'function f(n){return n<2?n:f(n-1)+f(n-2)} BEGIN{print f(15)}'; echo 'foo123bar' | awk '{sub(/[0-9]+/,"<&>");print; print $0 ~ /^foo/, $0 !~ /x/}'; awk 'BEGIN{printf "%s %d %i %5.1f %-4s| %e\n","a",3.9,"12abc",2.25,"l",12345}'; echo | awk '{syntax error'; echo $?; awk 'BEGIN{print 1/0}'; echo $?
#: awk uninitialized, numeric strings, RS and FS
printf 'a;b\n\nc;d\ne\n' | awk 'BEGIN{RS="";FS="\n"}{print NR": "$1" "NF}'; echo 10 9 | awk '{print ($1>$2), ("10">"9"), u+0, u""}'; printf 'aXbXc' | awk -v RS=X '{print}'; echo 'a1b22c' | awk -F'[0-9]+' '{print $1,$2,$3,NF}'; echo abc | awk -F '' '{print $2}'
#: awk floating point output
awk 'BEGIN{for(i=-5;i<=5;i++)printf "%g %.3e %.10f|", 10^i, 3^i/7, 1/(i+0.5); print ""; print 100000*100000, 2^31, 2^53+1, -2^31, 1e-5, 123456789012, 0.1*3, 1e15/3; CONVFMT="%.2g"; a=3.14159; b=a""; print b; OFMT="%.3f"; print 2/3}'
#: grep
printf 'apple\nBanana\ncherry pie\napple pie\n' >f; grep apple f; grep -c pie f; grep -v apple f; grep -in banana f; grep -E '^(a|c).*e$' f; grep -F '.' f; echo $?; grep -o 'p[a-z]' f; grep -w pie f; grep -x apple f; grep -l pie f none; echo $?; grep -q apple f; echo $?; grep -A1 Ban f; grep -B1 cherry f; grep -e apple -e cherry f; grep '[' f; echo $?
#: grep over several files and recursively
mkdir d; echo needle >d/a; echo hay >d/b; echo needle >c; grep needle c d/a; grep -h needle c d/a; grep -r needle . | sort; grep -L needle d/a d/b; grep needle d; echo $?; printf 'bin\0ary needle\n' >b; grep needle b; echo pat >p; grep -f p c; echo $?; grep -m1 -n e c; grep -H needle <c
#: sort
printf '10 b\n9 a\n100 c\n9 b\n' >f; sort f; sort -n f; sort -rn f; sort -k2 f; sort -k2,2 -k1,1n f; sort -u -k1,1 f; printf 'b\nA\na\nB\n' | sort -f; printf '3,x\n1,y\n' | sort -t, -k1; printf 'a\nb\n' | sort -c; echo $?; printf 'b\na\n' | sort -c; echo $?; printf '1.5\n1.25\n-3\n' | sort -g; sort none; echo $?; sort -o f f; head -n 1 f; printf '2K\n1M\n5\n' | sort -h
#: uniq
printf 'a\na\nb\nc\nc\nc\n' >f; uniq f; uniq -c f; uniq -d f; uniq -u f; printf 'x 1\ny 1\n' | uniq -f 1; printf 'ab\nac\n' | uniq -w 1; printf 'A\na\n' | uniq -i
#: cut
printf 'a:b:c\nd:e\nnone\n' >f; cut -d: -f2 f; cut -d: -f1,3 f; cut -d: -f2- -s f; cut -c1-2 f; cut -b 2 f; echo abcdef | cut -c 2-4,6; cut f; echo $?
#: tr
echo Hello World | tr a-z A-Z; echo aabbcc | tr -s abc; echo abc123 | tr -d 0-9; echo abc | tr -c 'b\n' x; echo 'a b' | tr '[:space:]' '_'; echo; echo hello | tr '[:lower:]' '[:upper:]'; echo abc | tr abc x; printf 'a\tb\n' | tr '\t' '\\'
#: head and tail
seq 20 >f; head -n 3 f; head -n -18 f; head -c 5 f; tail -n 2 f; tail -n +19 f; tail -c 4 f; tail -c +48 f; head -n 1 f f; tail -qn 1 f f; head none; echo $?; seq 100000 | tail -n 1; seq 5 | tail -n 2 | head -n 1
#: tail -f follows a growing file
echo a >f; tail -f f & p=$!; sleep 0.3; echo b >>f; sleep 1.5; kill $p; sleep 0.2; wait $p; echo $?
#: wc
printf 'one two\nthree\n' >f; wc f; wc -l <f; wc -w f; wc -c f f; printf 'no newline' | wc -l; wc -L f; wc none; echo $?; printf 'caf\303\251\n' | wc -mc
#: od
printf 'ABC\n\001\377\0xyz0123456789' >f; od f; od -c f; od -x f; od -A x -t x1 f; od -t d2 f; od -An -t u1 f; od -j 3 -N 4 -c f; od -b f; head -c 100 /dev/zero | od; od -t f4 -N 8 f; od -t x4 f
#: hexdump and xxd
printf 'ABC\n\001\377\0xyz0123456789' >f; hexdump f; hexdump -C f; hexdump -b f; hexdump -v -e '4/1 "%02x " "\n"' f; hexdump -n 4 -s 2 -C f; xxd f; xxd -p f; xxd -p f | xxd -r -p | cmp - f; hd f
#: strings, rev, tac, nl, fold, expand
printf 'ab\0longer text\001zz' | strings; echo abc | rev; seq 3 | tac; printf 'a\n\nb\n' | nl; echo abcdefghij | fold -w 4; echo 'aa bb cc' | fold -s -w 5; printf 'a\tb\n' | expand; printf 'a       b\n' | unexpand -a | od -c; seq 3 | paste -s -d,; seq 3 >f; paste f f; printf 'x\r\n' | dos2unix | od -c
#: tee
echo data | tee a b; cat a b; echo more | tee -a a >/dev/null; cat a; echo x | tee /nodir/f; echo $?
#: xargs
printf 'a b\nc\n' | xargs echo; printf 'a b c d\n' | xargs -n 2 echo; printf 'a\0b c\0' | xargs -0 -n1 echo; echo x | xargs -I{} echo '<{}>'; printf '' | xargs -r echo no; echo 255 | xargs sh -c 'exit 255'; echo $?; echo x | xargs sh -c 'exit 3'; echo $?; echo x | xargs nosuch; echo $?; echo x | xargs -t true; seq 2000 | xargs echo | wc; echo x | xargs sh -c 'kill -9 $$'; echo $?
#: diff
seq 5 >a; sed 's/3/three/;5d' a >b; diff -u -L a -L b a b; echo $?; diff a b >/dev/null; echo $?; diff -q a b; diff a a; echo $?; mkdir x y; echo 1 >x/f; echo 2 >y/f; echo o >x/only; diff -rq x y; diff a none; echo $?; printf 'a  b\n' >c; printf 'a b\n' >d; diff -b c d; echo $?; printf 'no nl' >e; diff -L c -L e c e
#: patch
seq 10 >a; sed 's/5/five/;8d' a >b; diff -u a b >p; cp a c; patch c p; cmp b c; patch -R c p; cmp a c; echo zzz >c; patch c p; echo $?; printf -- '--- /dev/null\n+++ n\n@@ -0,0 +1 @@\n+new\n' | patch -p0; cat n
#: checksums
printf abc >f; md5sum f; sha1sum f; sha256sum f; sha512sum f; sha3sum f; cksum f; crc32 f 2>&1 | head -n 1; sum f; md5sum f >s; md5sum -c s; echo x >>f; md5sum -c s; echo $?; md5sum none; echo $?; : | sha256sum
#: checksums of more than a block
dd if=/dev/zero bs=1k count=300 2>/dev/null | tr '\0' x >f; md5sum f; sha1sum f; sha256sum f; sha512sum f; cksum f; wc -c f
#: base64 and uuencode
printf 'hello \001\377' | base64; printf 'hello' | base64 | base64 -d; echo; printf data | uuencode name; printf data | uuencode -m name; printf data | uuencode out | uudecode; cat out; ls out; echo '!!!' | base64 -d; echo $?; head -c 100 /dev/zero | base64 -w 20 | tail -n 2
#: comm-like joins, split and seq
seq 7 >f; split -l 3 f part; ls; cat partc; split -b 5 f b; ls b*; seq 2 2 8; seq -s, 3; seq -w 8 11; seq 3 1; seq 3 -1 1; seq 0.5 0.25 1.5; seq -f %03g 2 2>/dev/null; echo $?; seq x; echo $?
#: expr
expr 1 + 2 \* 3; expr 7 / 2; expr 7 % 3; expr 1 \< 2; expr a = b; echo $?; expr length hello; expr substr hello 2 3; expr index hello l; expr abc123 : '[a-z]*'; expr abc123 : '[a-z]*\([0-9]*\)'; expr 1 / 0; echo $?; expr 1 +; echo $?; expr '' \| b; expr 0 \& 1; echo $?; expr 9223372036854775807 + 1
#: printf applet
busybox printf '%5d|%-5d|%05d|%x|%o|%s|%.3s|%c\n' 42 42 42 255 8 string truncated char; busybox printf '%b' 'a\nb\n'; busybox printf '%d\n' 99999999999 -0x10; busybox printf '%f %g %e\n' 1.5 0.0001 12345.6789; busybox printf '%d' x; echo $?; busybox printf; echo $?; busybox printf '%*d|\n' 6 7; busybox printf '\101\x42\n%%\n'
#: bc
printf '1+2*3\nscale=20\n1/3\n2^100\nsqrt(2)\n7%%3\nx=5;x*x\nobase=16\n255\nibase=2\n1010\n' | bc; echo 'scale=30; 4*a(1); e(1); s(1); l(2)' | bc -l; echo 'define f(n){if(n<2)return 1;return n*f(n-1)} f(30)' | bc; echo '1/0' | bc; echo $?; echo '(' | bc; echo $?
#: dc
echo '2 3 + p 10 k 1 3 / p 2 64 ^ p [hello] p c 5 d * p' | dc; dc -e '16 i FF p' ; echo '1 0 / p' | dc; echo $?
#: cal and date
cal 2 2024; cal 9 1752; cal 2023 | head -n 5; export TZ=UTC0; date -u -d '2024-02-29 12:34:56' '+%Y-%m-%d %H:%M:%S %j %a %A %b %U %u %w %s %e %I %p %y %%'; date -u -d @0; date -u -d @1700000000 +%c; date -d '2024-13-01'; echo $?; TZ=EST5EDT date -d @1700000000; TZ=CET-1CEST,M3.5.0,M10.5.0/3 date -d @1720000000 '+%H %Z %z'; date -u -d '1999-12-31 23:59:59' -R
#: factor, ascii, tsort kinds
factor 12 97 1000003 4294967291; ascii 2>/dev/null | head -n 3; echo $((0xff)) ; ipcalc -n 10.1.2.3 255.255.0.0; ipcalc -b 10.1.2.3/12
#: ed
printf 'a\nhello\nworld\n.\n1s/h/H/\n,p\nw f\nq\n' | ed 2>&1; cat f; printf '1d\nw\nq\n' | ed f; cat f
#: cat and its options
printf 'a\n\n\nb\t\001\n' >f; cat -n f; cat -A f; cat -b f; cat -s f 2>/dev/null; cat f - f <f | wc -l; cat none f | wc -l; cat <&-; echo $?; cat . ; echo $?
#: more than a pipe of text through filters
seq 1 20000 | awk '{print $1*$1}' | sort -n | uniq | tail -n 1; seq 20000 | sed -n 's/7$/&x/p' | wc; seq 20000 | md5sum; seq 20000 | grep -c '[13579]$'; seq 3000 | sort -R 2>/dev/null | sort -n | md5sum
#: less, yes and which of scripts
yes no | head -n 2; which sh nosuch; echo $?; echo text | more; echo text | less 2>/dev/null | head -n 1; getopt -o ab: -l long -- -a -b x --long rest; getopt -o a -- -z; echo $?
#: wide characters stay bytes
printf '\303\251t\303\251\n' | cut -b 1-2 | od -c; printf '\303\251\n' | rev | od -c; printf '\303\251\n' | tr a-z A-Z; echo '€' | sed 's/./x/g'; printf '\377\376\n' | sort | od -c
