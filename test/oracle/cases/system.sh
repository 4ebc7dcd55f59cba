#: tar round trip
mkdir -p t/d; echo 1 >t/a; echo 22 >t/d/b; ln -s a t/l; ln t/a t/h; chmod 751 t/d; touch -d '2001-02-03 04:05:06' t/a t/d/b t/d t; tar cf x.tar t; tar tf x.tar | sort; mkdir o; tar xf x.tar -C o; cat o/t/d/b; readlink o/t/l; stat -c '%a %Y' o/t/d/b; stat -c %a o/t/d; stat -c %h o/t/a; tar tf none; echo $?; echo junk | tar tf -; echo $?
#: tar verbose, exclude and member selection
export TZ=UTC0; mkdir t; echo 1 >t/a; echo 2 >t/b; chmod 644 t/a t/b; chmod 755 t; touch -d '2001-02-03 04:05:06' t/a t/b t; tar cvf x.tar t/a t/b; tar tvf x.tar; rm -r t; tar xvf x.tar t/b; ls t; tar xf x.tar none; echo $?; tar cf y.tar --exclude a x.tar t; tar tf y.tar | sort; tar xOf x.tar t/a; tar cf - t | tar tf -
#: tar with compression
mkdir t; seq 1000 >t/n; tar czf x.tgz t; tar tzf x.tgz; tar xzOf x.tgz t/n | md5sum; tar cJf y.txz t 2>&1 | head -n 1; tar cjf z.tbz t; tar xjOf z.tbz t/n | md5sum; tar xaf x.tgz; ls
#: cpio
mkdir -p t/d; echo 1 >t/a; ln -s a t/l; ln t/a t/h; mkfifo t/p; find t | sort | cpio -o -H newc >x.cpio; cpio -t <x.cpio; mkdir o; (cd o; cpio -idm <../x.cpio; ls t; stat -c '%h %F' t/a t/l t/p); echo junk | cpio -t; echo $?; cpio -i none <x.cpio; find t | sort | cpio -pd q; ls q/t
#: gzip and gunzip
seq 1000 >f; gzip f; ls; gunzip -c f.gz | md5sum; gunzip f.gz; md5sum f; gzip -c f | zcat | cmp - f; gzip -t f; echo $?; echo junk >j.gz; gunzip j.gz; echo $?; ls; gzip none; echo $?; gzip -9c f | gzip -dc | wc -l; gzip -nc f | head -c 10 | od -t x1
#: bzip2, xz and lzma
seq 2000 >f; bzip2 -c f >f.bz2; bunzip2 -c f.bz2 | cmp - f; bzcat f.bz2 | tail -n 1; wc -c <f.bz2; echo junk | bunzip2; echo $?; echo junk | unxz; echo $?; printf '' | unlzma; echo $?; bzip2 f; ls; bzip2 -d f.bz2; ls
#: unzip and ar
printf 'UEsDBAoAAAAAAAAAIQA2Y7Z0BQAAAAUAAAABAAAAYWhlbGxvUEsBAgoACgAAAAAAAAAhADZjtnQFAAAABQAAAAEAAAAAAAAAAAAAAAAAAAAAAGFQSwUGAAAAAAEAAQAvAAAAJAAAAAAA' | base64 -d >z.zip; unzip -p z.zip; echo $?; echo junk >j.zip; unzip j.zip; echo $?; printf '!<arch>\n' >a.a; ar t a.a; echo $?
#: id and whoami
id; id -u; id -g nobody; id root; id nosuch; echo $?; whoami; groups
#: env
env -i A=1 B=2 env | sort; env -u HOME sh -c 'echo "[$HOME]"'; env A=x sh -c 'echo $A'; env nosuch; echo $?; env -i sh -c 'echo $PATH'; printenv HOME 2>&1 | head -n 1; env false; echo $?
#: sleep and usleep
sleep 0; echo $?; usleep 1000; echo $?; sleep 0.01; echo $?; sleep x; echo $?; sleep; echo $?; sleep 0.05 & wait; echo $?; sleep 1 & p=$!; sleep 0.05; kill -0 $p; echo $?; kill $p; sleep 0.2; wait $p; echo $?
#: timeout
timeout 0.2 sleep 5; echo $?; timeout 5 true; echo $?; timeout 5 sh -c 'exit 3'; echo $?; timeout -s KILL 0.2 sleep 5; echo $?; timeout 1 nosuch; echo $?; timeout x true; echo $?
#: time of a command
time -p true 2>&1 | sed 's/ .*//'; time -p sh -c 'exit 3' >/dev/null 2>&1; echo $?
#: nohup
nohup echo x 2>&1; echo $?; nohup sh -c 'kill -HUP $$; echo survived' 2>/dev/null; nohup nosuch; echo $?
#: kill and its errors
kill -0 $$; echo $?; kill 99999; echo $?; kill -NOSUCH $$; echo $?; kill -0 -99999; echo $?; busybox kill -l 9; busybox kill -0 $$; echo $?; kill x; echo $?; kill -200 $$; echo $?; kill -s TERM 99999; echo $?
#: signals to a process group
set -m; (trap 'echo child got TERM; exit 3' TERM; sleep 5 & wait) & p=$!; sleep 0.2; kill -TERM -$p 2>/dev/null; echo $?; kill -TERM $p; sleep 0.1; wait $p; echo $?
#: killall and pidof
sh -c 'exec -a zqx sleep 20' 2>/dev/null; cp /bin/busybox ./sleep; ./sleep 20 & sleep 0.1; pidof nosuchname; echo $?; killall -q nosuchname; echo $?
#: setsid and the session of a child
setsid sh -c 'set -- $(cat /proc/self/stat); [ $5 = $6 ] && echo leader'; sh -c 'set -- $(cat /proc/$$/stat); echo $3'; setsid sh -c 'exit 6'; echo $?
#: ps with fixed columns
ps -o nosuch; echo $?; ps -o pid= 2>&1 | grep -c 1 | head -c 0
#: nice and renice
nice; nice -n 5 nice; nice -n 5 nice -n 3 nice; nice -n 100 nice; nice -n 2 sh -c 'set -- $(cat /proc/$$/stat); echo ${19}'; renice -n 3 -p $$ >/dev/null; nice; renice 1 99999; echo $?
#: nproc, hostname, uname parts
uname -s; uname -m; uname -x; echo $?; arch; tty </dev/null; echo $?
#: chroot
mkdir -p r/bin; cp /bin/busybox r/bin; chroot r /bin/busybox sh -c 'pwd; ls /; cd ..; pwd; echo in >/f; ls -d /../bin'; cat r/f; chroot none sh; echo $?; chroot r /nosuch; echo $?
#: su-like change of user
start-stop-daemon -S -c 1000:100 -x /bin/busybox -- id; start-stop-daemon -S -c nobody -x /bin/busybox -- sh -c 'id -u; id -g; kill -0 1; echo $?'; start-stop-daemon -S -c nosuchuser -x /bin/busybox -- id; echo $?
#: xargs with parallel children
seq 1 6 | xargs -n 1 -P 3 sh -c 'exit 0' ; echo $?; seq 1 5 | xargs -n 1 -P 2 echo | sort | tr '\n' ' '; echo
#: run-parts
mkdir p; printf '#!/bin/busybox sh\necho one\n' >p/01a; printf '#!/bin/busybox sh\necho two; exit 3\n' >p/02b; chmod +x p/01a p/02b; touch p/03no; run-parts p; echo $?; run-parts --test p; run-parts none; echo $?
#: start-stop-daemon in the background
start-stop-daemon -S -b -m -p pid -x /bin/busybox -- sleep 20; sleep 0.3; [ -s pid ]; echo $?; kill -0 $(cat pid); echo $?; start-stop-daemon -K -q -p pid; echo $?; sleep 0.2; kill -0 $(cat pid) 2>/dev/null; echo $?; start-stop-daemon -K -q -p pid 2>/dev/null; echo $?
#: names of machines that nobody knows
ping -c 1 -W 1 nosuch.invalid; echo $?
#: cp from and to pipes
mkfifo p; (exec 5>p; sleep 0.1; echo late >&5) & cat p; wait; seq 30000 >b; mkfifo q; cat b >q & md5sum <q; md5sum <b; wait
#: full pipes block the writer
(i=0; while [ $i -lt 200 ]; do printf '%01000d' $i; i=$((i+1)); done; echo wrote >&2) | (sleep 0.3; wc -c)
#: a pipeline of mixed speeds keeps every byte
dd if=/dev/zero bs=7777 count=40 2>/dev/null | (while dd bs=1000 count=50 2>/dev/null | grep -c . >/dev/null; do :; done; cat) | wc -c
#: dd with SIGUSR1 and partial reads
(printf abc; sleep 0.1; printf def) | dd bs=6 count=1 2>&1; echo; (printf abc; sleep 0.1; printf def) | dd bs=6 count=1 iflag=fullblock 2>&1; echo; printf 12345 | dd bs=2 count=2 skip=1 2>/dev/null; echo
#: crypt and passwd parts
mkpasswd -m md5 -S saltsalt secret; mkpasswd -m sha512 -S saltsalt secret; mkpasswd -m des -S ab secret; echo $?
#: od of floating point
printf '\000\000\200\077\000\000\000\100' | od -An -t f4; printf '\000\000\000\000\000\000\360\077\030\055\104\124\373\041\011\100' | od -An -t f8
#: the shell keeps its place in a script it shares with a child
printf 'cat\nthis line is read by cat\n' | sh; printf 'read x\nvalue\necho $x\n' | sh
#: tail of the environment: a large one
i=0; v=0123456789; while [ $i -lt 10 ]; do v=$v$v; i=$((i+1)); done; export BIG=$v; sh -c 'echo ${#BIG}' ; v=$v$v$v$v$v$v$v$v$v$v$v$v$v$v; export BIG=$v; /bin/busybox true; echo $?
#: a large argument list
set -- $(seq 1 20000); /bin/busybox echo "$@" | wc; set -- $(seq 100000 130000) "$@"; /bin/busybox sh -c 'echo $#' x "$@"
#: du and df agree with stat
mkdir d; dd if=/dev/zero of=d/a bs=4k count=3 2>/dev/null; echo x >d/b; ln d/a d/h; ln -s a d/l; du -k d/a d/b; du -s d; du -b d/a 2>&1 | head -n 1; du none; echo $?
#: exec through a symbolic link gives the link's name
ln -s /bin/busybox echo; ./echo applet by name; ln -s /bin/busybox nosuchapplet; ./nosuchapplet; echo $?; cp /bin/busybox uname; ./uname -s
#: scripts of scripts
printf '#!/bin/busybox sh\necho inner $0 $1\n' >i; printf '#!./i\n' >o; chmod +x i o; ./o arg; echo $?; printf '#!./loop\n' >loop; chmod +x loop; ./loop; echo $?; printf '#!' >e; chmod +x e; ./e; echo $?; printf '#! /bin/busybox   echo  two words  \n' >w; chmod +x w; ./w x
#: something that is no program
printf '\177ELF garbage' >g; chmod +x g; ./g; echo $?; : >z; chmod +x z; ./z; echo $?; head -c 100 /bin/busybox >t; chmod +x t; ./t 2>&1 | head -c 0; echo; mkdir d; ./d; echo $?; chmod -x g; ./g; echo $?
#: watchers of time: a date of the past and of the future
export TZ=UTC0; touch -d '1901-12-14 00:00:00' a; stat -c %Y a; touch -d '2038-01-19 03:14:08' b; stat -c %Y b; touch -d @4294967295 c; stat -c %Y c; touch -d @-1 d; stat -c %Y d
#: lock files
(flock 9; echo locked) 9>l 2>&1 | head -n 1; mkdir lock && echo mine; mkdir lock 2>/dev/null || echo taken; ln -s $$ lk; ln -s 1 lk 2>/dev/null; echo $?
