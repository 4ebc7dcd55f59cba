#: cp and its errors
echo a >a; cp a b; cat b; cp a a; echo $?; cp none x; echo $?; mkdir d; cp a d; cp d e; echo $?; cp -r d e; ls e; cp a b none; echo $?
#: cp -p keeps mode and time
echo a >a; chmod 640 a; touch -d '2020-02-03 04:05:06' a; cp -p a b; stat -c '%a %Y %s' a b; cp -a a c; stat -c '%a %Y' c
#: cp -a of a tree with links
mkdir -p t/s; echo 1 >t/f; ln t/f t/h; ln -s f t/l; mkfifo t/p; cp -a t u; ls u; stat -c '%F %h %n' u/f u/l u/p u/s; readlink u/l
#: cp through and onto symbolic links
echo a >a; ln -s a l; cp l c; stat -c %F c; cp -d l m; stat -c %F m; echo n >n; cp n l; cat a; ln -s none dl; cp a dl; ls
#: mv renames, replaces and refuses
echo a >a; echo b >b; mv a b; cat b; ls; mkdir d; mv b d; ls d; mv d/b d/c; mv none x; echo $?; mkdir e; mv d e; ls e; touch f; mv e f; echo $?; mv e/d e/d/x; echo $?
#: mv a directory onto a directory
mkdir a b b/a; touch a/f; mv a b; echo $?; touch b/a/g; rm a/f; mv -T a b/a; echo $?; ls -R b; mv b .; echo $?; mv . x; echo $?
#: hard links
echo a >a; ln a b; stat -c '%h' a b; echo more >>b; cat a; rm a; stat -c %h b; ln b b; echo $?; mkdir d; ln d e; echo $?; ln none x; echo $?
#: symbolic links
ln -s target l; readlink l; cat l; echo $?; ln -s a b; ln -s b a; cat a; echo $?; ln -sf x l; readlink l; ln -s x l; echo $?; mkdir d; ln -s ../f d/l; echo hi >f; cat d/l; ln -sfn d dl; ls dl
#: a long chain of symbolic links
echo end >l0; i=0; while [ $i -lt 45 ]; do ln -s l$i l$((i+1)); i=$((i+1)); done; cat l10; cat l39; cat l40; cat l41; echo $?
#: rm
touch a b; mkdir -p d/e/f; rm a; rm none; echo $?; rm -f none; echo $?; rm d; echo $?; rm -r d; ls; rm -rf / --no-such 2>/dev/null; rm .; echo $?; rm -f; echo $?
#: rmdir
mkdir -p a/b/c f; touch f/x; rmdir f; echo $?; rmdir a; echo $?; rmdir -p a/b/c; ls; rmdir none; touch g; rmdir g; echo $?; rmdir . ; echo $?
#: mkdir
mkdir a; mkdir a; echo $?; mkdir x/y; echo $?; mkdir -p x/y/z x/y; ls -R x; mkdir -m 700 m; stat -c %a m; touch f; mkdir f/g; echo $?; mkdir -p f; echo $?; mkdir ''; echo $?
#: rm of an open file and of the working directory
exec 3>f; echo gone >&3; rm f; cat /proc/self/fd/3 2>/dev/null; ls; mkdir d; cd d; rmdir ../d; pwd >/dev/null; ls; touch x; echo $?; mkdir y; ls ..; cd ..; echo $?
#: names with odd bytes
touch 'a b' "$(printf 'n\tl')" -- -dash; ls | od -c | head; rm -- -dash; rm ./'a b'; touch "$(printf 'caf\303\251')"; ls
#: names that are too long
n=$(printf '%0255d' 0); touch $n; echo $?; touch ${n}1; echo $?; mkdir ${n}1; p=; i=0; while [ $i -lt 20 ]; do p=$p$n/; i=$((i+1)); done; cat $p; echo $?; ls | wc -c
#: deep directories
i=0; while [ $i -lt 60 ]; do mkdir directory$i; cd directory$i; i=$((i+1)); done; pwd | wc -c; touch leaf; cd /; find . -name leaf 2>/dev/null | wc -c
#: ls with fixed options
mkdir d; echo 12345 >f; ln -s f l; chmod 640 f; chmod 2755 d; touch -d '2001-02-03 04:05:06' f d; touch -h -d '2001-02-03 04:05:06' l; ls -1F; ls -ln f l; ls -ld d; ls -a1; ls none; echo $?
#: ls sorts by size and time
printf 12345 >five; printf 1 >one; printf 123 >three; touch -d '2001-01-01' five; touch -d '2003-01-01' one; touch -d '2002-01-01' three; ls -S; ls -t; ls -rt; ls -r; ls -C one three
#: stat of everything
echo x >f; mkdir d; ln -s f l; mkfifo p; touch -d '2001-02-03 04:05:06' f; stat -c '%n %F %a %A %u %g %h %s %X %Y' f; stat -c '%F %a %h' d; stat -c '%F %a %s %N' l; stat -L -c %F l; stat -c '%F %a' p; stat none; echo $?; stat -c '%F %t %T %a' /dev/null /dev/zero
#: blocks of a file
: >e; echo x >s; dd if=/dev/zero of=b bs=1k count=10 2>/dev/null; stat -c '%s %b %B %o' e s b; du -k e s b; du -sk . >/dev/null; echo $?
#: statfs fields that do not depend on the machine
stat -f -c '%T %l %s %S' .
#: chmod symbolic and octal
touch f; for m in 000 777 4755 2755 1755 u=rwx,go= a+r g+s o-r u+s,+t =rw a-x ug+X; do chmod $m f; stat -c "$m %a %A" f; done; chmod 999 f; echo $?; chmod 644 none; echo $?; mkdir -p d/e; touch d/e/f; chmod -R 700 d; stat -c %a d d/e d/e/f
#: chown
touch f; chown 5 f; stat -c '%u %g' f; chown 5:6 f; stat -c '%u %g' f; chown :7 f; stat -c '%u %g' f; chown nobody f; stat -c '%u %g %U' f; chown nosuch f; echo $?; chmod 6755 f; chown 8 f; stat -c %a f; ln -s f l; chown -h 9 l; stat -c %u f l; chgrp 3 f; stat -c %g f
#: touch -d and -c and -r
TZ=UTC0; export TZ; touch -d '2020-05-06 07:08:09' f; stat -c %Y f; touch -c none; ls none; touch -r f g; stat -c %Y g; touch -t 200102030405.06 f; stat -c %Y f; touch -d nonsense f; echo $?; touch d/x; echo $?
#: times that change and times that do not
touch -d '2001-01-01 00:00:00' f; cat f; stat -c %Y f; echo x >>f; [ $(stat -c %Y f) -gt 1000000000 ]; echo $?; mkdir d; touch -d '2001-01-01' d; touch d/x; [ $(stat -c %Y d) -gt 1000000000 ]; echo $?; touch -d '2001-01-01 00:00:00' d f; mv d/x d/y; chmod 600 f; stat -c %Y f; [ $(stat -c %Z f) -gt 1000000000 ]; echo $?
#: dd
printf 0123456789 >f; dd if=f bs=3 skip=1 count=2; echo; dd if=f of=g bs=1 seek=5 count=2; od -c g; dd if=f of=g bs=2 seek=1 conv=notrunc; od -c g; dd if=f of=h bs=4 conv=sync 2>&1; wc -c h; printf AB | dd conv=swab; dd if=none; echo $?; dd bs=0; echo $?
#: dd seeks far and makes holes
dd if=/dev/zero of=f bs=1 count=1 seek=100000 2>/dev/null; stat -c '%s' f; md5sum f; dd if=f bs=1 skip=99999 2>/dev/null | od -c; dd if=f bs=1000 skip=101 2>&1
#: truncate
printf abcdef >f; truncate -s 3 f; cat f; echo; truncate -s 6 f; od -c f; truncate -s 1K f; stat -c %s f; truncate -s 0 f; stat -c %s f; truncate -c -s 5 none; ls none; truncate -s 5 d/x; echo $?; mkdir d; truncate -s 1 d; echo $?
#: find
mkdir -p a/b/c; touch a/1 a/b/2 a/b/c/3.txt; ln -s 1 a/l; chmod 600 a/1; find a | sort; find a -type f | sort; find a -name '*.txt'; find a -maxdepth 1 -type d; find a -perm 600; find a -type l; find a -mindepth 3 | sort; find a -type f -exec echo {} \; | sort; find a -name c -prune -o -type f -print | sort; find none; echo $?
#: find by time, size and newer, and -delete
mkdir a; printf 123456789 >a/nine; : >a/zero; touch -d '2001-01-01' a/old; find a -size 0 | sort; find a -size -10c -type f | sort; find a -mtime +100 | sort; find a -newer a/old -type f | sort; find a -empty | sort; find a -type f -delete; ls a; mkdir b; touch b/x; find b -print0 | od -c
#: find with xargs and -links -inum -user
mkdir a; touch a/x a/y; ln a/x a/z; find a -type f -links 2 | sort; find a -user 0 -type f | sort | xargs ls; find a -type f -print0 | sort -z | xargs -0 -n 1 echo f; find a -samefile a/x 2>/dev/null | sort
#: readlink and realpath
mkdir -p a/b; ln -s a/b l; ln -s none d; touch a/b/f; readlink l; readlink -f l/f | sed "s,$PWD,.,"; readlink a; echo $?; realpath l/../b | sed "s,$PWD,.,"; realpath d/x; echo $?; readlink -f d | sed "s,$PWD,.,"; realpath /proc/self/../1
#: basename and dirname
basename /a/b/c.txt .txt; basename /; basename a//; dirname /a/b/c; dirname a; dirname /a; dirname ''
#: mktemp patterns
f=$(mktemp ./fooXXXXXX); stat -c '%a %s' $f; d=$(mktemp -d ./dirXXXXXX); stat -c '%a %F' $d; mktemp badXX 2>&1 | sed 's/XX.*//'; TMPDIR=$PWD mktemp | sed "s,$PWD,.,;s/tmp\.......$/tmp.RANDOM/"; mktemp nodir/xXXXXXX; echo $?
#: link and unlink
echo a >a; link a b; cat b; unlink a; ls; unlink none; echo $?; mkdir d; unlink d; echo $?; link none x; echo $?
#: mkfifo and mknod of a fifo
mkfifo a; mkfifo a; echo $?; mkfifo -m 600 b; stat -c '%F %a' a b; mknod c p; stat -c %F c; mkfifo none/x; echo $?; test -p a; echo $?
#: install, cp -u and cmp
echo 1 >a; install -m 711 a b 2>/dev/null; cp -u a c; cmp a c; echo $?; echo 2 >c; cmp a c; echo $?; cmp -s a c; echo $?; printf 1 >c; cmp a c; echo $?; cmp -l a c; cmp a none; echo $?
#: permissions of another user
mkdir pub sec; chmod 777 pub .; chmod 700 sec; echo s >sec/f; echo r >ro; chmod 644 ro; echo n >no; chmod 600 no; P=$PWD; chroot / /bin/busybox sh -c "cd $P; exec start-stop-daemon -S -c 1000:1000 -x /bin/busybox -- sh -c 'id -u; cat ro; cat no; ls sec; cat sec/f; echo x >ro; echo x >pub/new; stat -c \"%u %g\" pub/new; chmod 777 ro; chown 1000 ro; rm -f ro; mkdir /xx; kill -0 1; cd sec'"
#: sticky directories
mkdir t; chmod 1777 t .; echo a >t/mine; P=$PWD; start-stop-daemon -S -c 1000:1000 -x /bin/busybox -- sh -c "cd $P/t; echo b >own; rm -f mine; mv mine x; mv own own2; rm own2; ls"; echo $?
#: set-group-id directories
mkdir d; chown :7 d; chmod 2775 d; touch d/f; mkdir d/s; stat -c '%g %a' d/f d/s
#: directory links count
mkdir d; stat -c %h d; mkdir d/a d/b; touch d/f; stat -c %h d; rmdir d/a; stat -c %h d; mkdir e; mv d/b e; stat -c %h d e
#: append from two writers
: >f; (for i in 1 2 3 4 5 6 7 8 9; do echo a$i; done >>f) & (for i in 1 2 3 4 5 6 7 8 9; do echo b$i; done >>f) & wait; wc -l <f; sort f | md5sum
#: shared offset after fork
exec 3>f; (echo child >&3); echo parent >&3; cat f; exec 4<f; (read x <&4; echo $x); read x <&4; echo $x
#: /proc/self/fd and /dev/fd
ls /proc/self/fd >/dev/null; echo $?; readlink /proc/self/fd/0; exec 7<.; readlink /proc/self/fd/7 | sed 's,.*/,,' | wc -l; echo hello >f; exec 8<f; cat /proc/self/fd/8; cat /proc/self/fd/8
#: /proc of a process
sh -c 'tr "\0" " " </proc/$$/cmdline; echo; grep -E "^(Uid|Gid|Umask)" /proc/$$/status; readlink /proc/$$/root' x y; A=b env -i Z=1 cat /proc/self/environ | tr '\0' '\n'
#: devices
head -c 5 /dev/zero | od -c; echo x >/dev/null; cat /dev/null; echo x >/dev/full; echo $?; head -c 3 /dev/urandom | wc -c; cat </dev/full | head -c 2 | od -c; echo y >/dev/zero; echo $?
#: fallocate, sync and shred kinds
fallocate -l 1000 f; stat -c %s f; fallocate -o 500 -l 1000 f; stat -c %s f; sync; echo $?; printf x >g; shred -u g; ls
#: moving between names with a trailing slash
mkdir d; touch f; ls d/; cat f/; echo $?; mv d/ e/; ls; rmdir e/; touch g/; echo $?; ln -s d l; mkdir d; ls -d l/; rm l/; echo $?; rmdir l/; echo $?
