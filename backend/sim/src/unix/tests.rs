//! Scripts and what they write: a table, run on a machine that has nothing but busybox.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;

use super::*;
use crate::guests::Output;
use crate::pace::Pace;

struct Plain(Base);

#[async_trait]
impl Machine for Plain {
    fn base(&self) -> &Base {
        &self.0
    }

    async fn run(&self, _program: &str, _call: &mut Call) -> Option<Done> {
        None
    }
}

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

fn machine() -> Arc<dyn Machine> {
    let mut files = Files::new(10 << 20);
    install_busybox(&mut files, &[]).unwrap();
    files.mkdir_all("/tmp", 0o777).unwrap();
    files.device("/dev/null", "null").unwrap();
    files.device("/dev/urandom", "urandom").unwrap();
    files
        .put("/etc/list", "one\ntwo words\nthree\n", 0o644)
        .unwrap();
    Arc::new(Plain(Base::new(Flavour::Busybox, "plain", files)))
}

async fn run_on(machine: &Arc<dyn Machine>, argv: &[&str], input: &str) -> Ran {
    let (to, mut from) = mpsc::channel(4);
    let client = |error| Fd::Client {
        to: to.clone(),
        error,
    };
    let call = Call {
        machine: Arc::clone(machine),
        clock: Arc::new(Clock::new(Pace::Instant)),
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        env: BTreeMap::from([(
            "PATH".to_owned(),
            "/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
        )]),
        cwd: "/".to_owned(),
        fds: Fds::standard(
            Fd::of(Bytes::copy_from_slice(input.as_bytes())),
            client(false),
            client(true),
        ),
        umask: 0o022,
        pid: 0,
    };
    drop(to);
    let mut ran = Ran {
        code: 0,
        stdout: String::new(),
        stderr: String::new(),
    };
    let run = tokio::time::timeout(std::time::Duration::from_secs(20), execute(call));
    let collect = async {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        while let Some(piece) = from.recv().await {
            match piece {
                Output::Stdout(bytes) => stdout.extend(bytes),
                Output::Stderr(bytes) => stderr.extend(bytes),
            }
        }
        (stdout, stderr)
    };
    let (code, (stdout, stderr)) = tokio::join!(run, collect);
    ran.code = code
        .expect("the script ends")
        .unwrap_or_else(|reason| match reason {
            process::Unstartable::NotFound => 127,
            process::Unstartable::NotExecutable => 126,
        });
    ran.stdout = String::from_utf8_lossy(&stdout).into_owned();
    ran.stderr = String::from_utf8_lossy(&stderr).into_owned();
    ran
}

async fn sh(script: &str) -> Ran {
    run_on(
        &machine(),
        &["/bin/sh", "-c", script, "sh", "first", "second word"],
        "",
    )
    .await
}

/// Runs each script and compares standard output and exit code.
async fn table(rows: &[(&str, &str, i32)]) {
    for (script, stdout, code) in rows {
        let ran = sh(script).await;
        assert_eq!(
            (ran.stdout.as_str(), ran.code),
            (*stdout, *code),
            "{script}\nstderr: {}",
            ran.stderr
        );
    }
}

#[tokio::test]
async fn words_and_quotes() {
    table(&[
        ("echo hello   world", "hello world\n", 0),
        ("echo 'a  b' \"c  d\" e\\ f", "a  b c  d e f\n", 0),
        ("x='a  b'; echo $x \"$x\"", "a b a  b\n", 0),
        ("x=; set -- $x \"$x\"; echo $#", "1\n", 0),
        (
            "for a in \"$@\"; do echo \"<$a>\"; done",
            "<first>\n<second word>\n",
            0,
        ),
        (
            "for a in $*; do echo \"<$a>\"; done",
            "<first>\n<second>\n<word>\n",
            0,
        ),
        (
            "echo \"$*\" $# \"$1\" ${2}",
            "first second word 2 first second word\n",
            0,
        ),
        (
            "set --; for a in \"$@\"; do echo no; done; echo $#",
            "0\n",
            0,
        ),
        ("set -- a b c; shift; echo $1 $#", "b 2\n", 0),
        (
            "x=\"a:b:c\"; IFS=:; echo $x; set -- $x; echo $#",
            "a b c\n3\n",
            0,
        ),
        ("x='*'; echo \"$x\" '*'", "* *\n", 0),
        ("cd /etc; echo l*t; echo no*such", "list\nno*such\n", 0),
        ("echo ~; HOME=/root; echo ~ ~/x", "~\n/root /root/x\n", 0),
        ("echo \"a\\nb\" 'c\\nd'", "a\\nb c\\nd\n", 0),
        ("printf '%s=%d\\n' a 1 b 2", "a=1\nb=2\n", 0),
        (
            "printf '%-5s|%03d|%x|%%\\n' ab 7 255",
            "ab   |007|ff|%\n",
            0,
        ),
        ("printf '%s\\n' 'it'\"'\"'s'", "it's\n", 0),
        ("echo -n a; echo -e 'b\\tc'", "ab\tc\n", 0),
        ("echo {1..3} \"${x:-a b}\"", "{1..3} a b\n", 0),
        ("echo a#b # not this", "a#b\n", 0),
    ])
    .await;
}

#[tokio::test]
async fn parameters() {
    table(&[
        (
            "echo ${x:-d} ${x-d} [${x:+s}] ${x:=v} $x ${x:+s}",
            "d d [] v v s\n",
            0,
        ),
        ("x=; echo [${x:-d}] [${x-d}]", "[d] []\n", 0),
        (
            "p=/a/b/c.tar.gz; echo ${p##*/} ${p#*/} ${p%.*} ${p%%.*} ${#p}",
            "c.tar.gz a/b/c.tar.gz /a/b/c.tar /a/b/c 13\n",
            0,
        ),
        ("x=a.b.c; y=.c; echo ${x%\"$y\"} ${x%$y}", "a.b a.b\n", 0),
        (
            "x=hello; echo ${x/l/L} ${x//l/L} ${x:1:3}",
            "heLlo heLLo ell\n",
            0,
        ),
        ("echo ${nope:?is missing}; echo after", "", 2),
        ("set -u; echo $nope; echo after", "", 2),
        (
            "set -u; echo ${nope:-fine} \"$@\"",
            "fine first second word\n",
            0,
        ),
        (
            "x=1; x=$((x+1)); echo $x $((x*3%4)) $((x>1 && x<5)) $((0x10)) $(( x++ )) $x",
            "2 2 1 16 2 3\n",
            0,
        ),
        (
            "i=0; while [ $i -lt 3 ]; do i=$((i+1)); done; echo $i",
            "3\n",
            0,
        ),
        ("x=a; f() { local x=b; y=$x; }; f; echo $x $y", "a b\n", 0),
        ("readonly R=1; R=2; echo no", "", 2),
        (
            "export A=1; B=2; env | grep -E '^(A|B)='; C=3 env | grep ^C=; echo [$C]",
            "A=1\nC=3\n[]\n",
            0,
        ),
        ("x='a\\b'; echo $x", "a\\b\n", 0),
    ])
    .await;
}

#[tokio::test]
async fn control_flow() {
    table(&[
        ("if false; then echo a; elif true; then echo b; else echo c; fi", "b\n", 0),
        ("case foo.sh in *.txt|*.md) echo t;; *.sh) echo s;; *) echo o;; esac", "s\n", 0),
        ("case \"$1\" in \"fir\"*) echo yes;; esac", "yes\n", 0),
        ("for i in 1 2 3 4; do [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done", "1\n3\n", 0),
        ("for i in 1 2; do for j in a b; do [ $j = b ] && continue 2; echo $i$j; done; done", "1a\n2a\n", 0),
        ("f() { echo in $1 $#; return 3; }; f x y; echo $?", "in x 2\n3\n", 0),
        ("(exit 4); echo $?; { echo g; }; (x=1); echo [$x]", "4\ng\n[]\n", 0),
        ("true && echo a || echo b; false && echo a || echo b; ! true; echo $?", "a\nb\n1\n", 0),
        ("set -e; false; echo no", "", 1),
        ("set -e; if false; then :; fi; false || true; ! true; x=$(false) || echo c; echo yes", "c\nyes\n", 0),
        ("set -e; f() { false; echo in; }; f || echo caught; f; echo no", "in\n",
            1),
        ("set -e; (false; echo no); echo no", "", 1),
        ("set -e; x=$(false); echo no", "", 1),
        ("false | true; echo $?; set -o pipefail; false | true; echo $?", "0\n1\n", 0),
        ("trap 'echo bye $?' EXIT; echo hi; exit 5", "hi\nbye 5\n", 5),
        ("eval 'x=1; echo $x'; exit", "1\n", 0),
        ("until [ -e /tmp/x ]; do touch /tmp/x; echo again; done", "again\n", 0),
        ("while read -r a b; do echo \"$b|$a\"; done < /etc/list", "|one\nwords|two\n|three\n", 0),
        ("printf 'a b c\\nlast' | while read x y || [ -n \"$x\" ]; do echo \"$x-$y\"; done", "a-b c\nlast-\n", 0),
        ("sleep infinity & p=$!; kill $p; wait $p; echo $?", "143\n", 0),
        ("(echo bg) & wait; echo fg", "bg\nfg\n", 0),
        ("while getopts ab:c o -a -bX -c y; do echo $o $OPTARG; done", "a\nb X\nc X\n", 0),
        ("echo 'x=5; return 0; x=6' > /tmp/s; . /tmp/s; echo $x", "5\n", 0),
        ("[ -f /etc/list -a ! -d /etc/list ] && [ 1 -lt 2 ] && [ a != b ] && test -n x && [ ! -e /nope ]; echo $?", "0\n", 0),
        ("command -v cat sh nope; echo $?", "/bin/cat\n/bin/sh\n127\n", 0),
        ("f() { if [ $1 -gt 0 ]; then echo $1; f $(($1-1)); fi; }; f 3", "3\n2\n1\n", 0),
    ])
    .await;
}

#[tokio::test]
async fn redirections_and_substitution() {
    table(&[
        ("echo a > /tmp/f; echo b >> /tmp/f; cat < /tmp/f; wc -l < /tmp/f", "a\nb\n2\n", 0),
        ("{ echo out; echo err >&2; } 2>&1 >/dev/null | sed 's/^/got /'", "got err\n", 0),
        ("{ echo out; echo err >&2; } > /tmp/o 2>&1; cat /tmp/o", "out\nerr\n", 0),
        ("cat <<EOF\n$1 \"q\" $(echo sub) \\$x `echo back`\nEOF\n", "first \"q\" sub $x back\n", 0),
        ("cat <<'EOF'\n$1 $(no)\nEOF\n", "$1 $(no)\n", 0),
        ("cat <<-EOF\n\tindented\n\tEOF\n", "indented\n", 0),
        ("x=$(printf 'a\\nb\\n\\n'); echo \"$x\"; echo $(echo a; echo b)", "a\nb\na b\n", 0),
        ("exec 3>/tmp/three; echo x >&3; exec 3>&-; cat /tmp/three; echo y >&3; echo $?", "x\n1\n", 0),
        ("exec > /tmp/all; echo hidden; exec >&2; cat /tmp/all", "", 0),
        ("echo a > /nope/f; echo $?", "1\n", 0),
        ("cat < /nope; echo $?", "1\n", 0),
        ("echo one | tee /tmp/t | tr a-z A-Z; cat /tmp/t", "ONE\none\n", 0),
        ("yes | head -n 2; echo ${#}", "y\ny\n2\n", 0),
        ("set -C; echo a > /tmp/c; echo b > /tmp/c; echo $?; cat /tmp/c", "1\na\n", 0),
        ("umask 077; echo s > /tmp/secret; stat -c '%a %u:%g %s' /tmp/secret", "600 0:0 2\n", 0),
        ("exec 9>/tmp/lock; flock 9; flock -n /tmp/lock true; echo $?; exec 9>&-; flock -n /tmp/lock true; echo $?", "1\n0\n", 0),
    ])
    .await;
}

#[tokio::test]
async fn tools() {
    table(&[
        ("mkdir -p /tmp/a/b && touch /tmp/a/b/f && find /tmp/a -type f && ls /tmp/a", "/tmp/a/b/f\nb\n", 0),
        ("mkdir /tmp/a; mkdir /tmp/a; echo $?; rmdir /tmp/a; rm -f /tmp/a; rm /tmp/a; echo $?", "1\n1\n", 0),
        ("cp -r /etc /tmp/e; mv /tmp/e/list /tmp/l; cat /tmp/l | head -1; ls /tmp/e", "one\n", 0),
        ("ln -s /etc/list /tmp/l; readlink /tmp/l; readlink -f /tmp/l; [ -L /tmp/l ] && echo link", "/etc/list\n/etc/list\nlink\n", 0),
        ("chmod 640 /etc/list; chmod u+x,o=r /etc/list; stat -c %a /etc/list; chown 5:6 /etc/list; stat -c %u:%g /etc/list", "744\n5:6\n", 0),
        ("grep -c o /etc/list; grep -q zzz /etc/list || echo none; grep -v one /etc/list | grep -n t; grep -oE 't[a-z]+' /etc/list", "2\nnone\n1:two words\n2:three\ntwo\nthree\n", 0),
        ("sed -n '2p' /etc/list; sed 's/o/0/g;s/^t\\(..\\)/<\\1>/' /etc/list; sed '/two/d;$!d' /etc/list", "two words\n0ne\n<w0> w0rds\n<hr>ee\nthree\n", 0),
        ("sed -i 's/one/1/' /etc/list; head -n 1 /etc/list; tail -n +2 /etc/list; tail -1 /etc/list", "1\ntwo words\nthree\nthree\n", 0),
        ("echo a:b:c | cut -d : -f 1,3; echo hello | cut -c 2-3; echo 'x y  z' | awk '{print $3, $1}'", "a:c\nel\nz x\n", 0),
        ("printf 'b\\na\\nb\\n' | sort -u; printf '10\\n9\\n' | sort -n; printf 'a\\na\\nb\\n' | uniq -c", "a\nb\n9\n10\n      2 a\n      1 b\n", 0),
        ("printf abc | base64; printf YWJj | base64 -d; echo; printf abc | sha256sum | cut -c1-8", "YWJj\nabc\nba7816bf\n", 0),
        ("basename /a/b.txt .txt; dirname /a/b.txt; dirname x; seq 2 4 | xargs echo n", "b\n/a\n.\nn 2 3 4\n", 0),
        ("tar -c -h -f - /etc/list 2>/dev/null | tar -t; cd /tmp; tar cf x.tar -C /etc list; tar xf x.tar; cat list | wc -l", "etc/list\n3\n", 0),
        ("timeout 5 sleep 10; echo $?; timeout 5 sleep 1; echo $?; timeout -s KILL 1 sleep 9; echo $?", "143\n0\n137\n", 0),
        ("a=$(date +%s); sleep 100; b=$(date +%s); [ $((b-a)) -ge 100 ] && echo later", "later\n", 0),
        ("head -c 8 /dev/urandom | od -An -tx1 | wc -w; head -c 12 /dev/urandom | base64 | wc -c", "8\n17\n", 0),
        ("tr -dc a-z < /dev/urandom | head -c 5 | wc -c", "5\n", 0),
        ("env -i A=1 /usr/bin/env; hostname; uname -m; id -u", "A=1\nplain\nx86_64\n0\n", 0),
        ("printf '#!/bin/sh\\necho script $1\\n' > /tmp/s; /tmp/s; echo $?; chmod +x /tmp/s; /tmp/s x", "126\nscript x\n", 0),
        ("d=$(mktemp -d) && [ -d \"$d\" ] && rm -rf \"$d\" && [ ! -e \"$d\" ] && echo ok", "ok\n", 0),
    ])
    .await;
}

#[tokio::test]
async fn nothing_unknown_succeeds() {
    for (script, code, text) in [
        ("curl -s http://x", 127, "sh: curl: not found"),
        ("/no/such", 127, "sh: /no/such: not found"),
        ("/etc/list", 126, "sh: /etc/list: Permission denied"),
        ("grep -P x /etc/list", 1, "unrecognized option: P"),
        ("timeout --signal=KILL 1 true", 1, "unrecognized option"),
        ("echo 'unfinished", 2, "syntax error"),
        ("if true; then", 2, "unexpected end of file"),
        ("a=(1 2)", 2, "syntax error"),
        ("[ 1 -lt x ]", 2, "sh: x: bad number"),
        ("[ a b ]", 2, "sh: a: unknown operand"),
        (
            "cat /nope",
            1,
            "cat: can't open '/nope': No such file or directory",
        ),
        (
            "echo x > /no/where",
            1,
            "sh: can't create /no/where: nonexistent directory",
        ),
        ("awk 'BEGIN{x=1}' /etc/list", 2, "not simulated"),
        (
            "timeout 5 nope",
            127,
            "can't execute 'nope': No such file or directory",
        ),
    ] {
        let ran = sh(script).await;
        assert_eq!(ran.code, code, "{script}: {}", ran.stderr);
        assert!(ran.stderr.contains(text), "{script} wrote {:?}", ran.stderr);
        assert_eq!(ran.stdout, "", "{script}");
    }
}

#[tokio::test]
async fn a_script_on_standard_input() {
    let plain = machine();
    let ran = run_on(
        &plain,
        &["sh", "-s", "--", "arg one"],
        "echo \"got $1\"\nexit 3\n",
    )
    .await;
    assert_eq!((ran.stdout.as_str(), ran.code), ("got arg one\n", 3));

    // Past what ash reads ahead, a command that reads standard input swallows the rest of the script.
    let long = format!(
        "echo start\ncat >/dev/null\n# {}\necho never\n",
        "x".repeat(3000)
    );
    let ran = run_on(&plain, &["sh", "-s"], &long).await;
    assert_eq!((ran.stdout.as_str(), ran.code), ("start\n", 0));
    let safe = long.replace("cat >/dev/null", "cat >/dev/null </dev/null");
    let ran = run_on(&plain, &["sh", "-s"], &safe).await;
    assert_eq!(ran.stdout, "start\nnever\n");
}

#[tokio::test]
async fn output_comes_as_it_is_produced() {
    let machine = machine();
    let (to, mut from) = mpsc::channel(1);
    let (input, from_client) = mpsc::channel(1);
    let call = Call {
        machine,
        clock: Arc::new(Clock::new(Pace::Instant)),
        argv: [
            "sh",
            "-c",
            "echo first | sed s/f/F/; read x; echo \"then $x\"",
        ]
        .map(str::to_owned)
        .to_vec(),
        env: BTreeMap::new(),
        cwd: "/".to_owned(),
        fds: Fds::standard(
            Fd::Input(Arc::new(Input::new(from_client))),
            Fd::Client {
                to: to.clone(),
                error: false,
            },
            Fd::Client { to, error: true },
        ),
        umask: 0o022,
        pid: 0,
    };
    let talk = async {
        // The script waits for an answer to what it has written already.
        let Some(Output::Stdout(first)) = from.recv().await else {
            panic!("no output")
        };
        assert_eq!(first, "First\n");
        input.send(Bytes::from_static(b"answer\n")).await.unwrap();
        let Some(Output::Stdout(second)) = from.recv().await else {
            panic!("no output")
        };
        assert_eq!(second, "then answer\n");
    };
    let (code, ()) = tokio::join!(execute(call), talk);
    assert_eq!(code.unwrap(), 0);
}

#[tokio::test]
async fn large_streams_pass_unchanged() {
    let machine = machine();
    let input: String = (0..200_000).map(|number| format!("{number}\n")).collect();
    let ran = run_on(
        &machine,
        &[
            "sh",
            "-c",
            "umask 077; cat > /tmp/big; cat /tmp/big | sha256sum; wc -c < /tmp/big",
        ],
        &input,
    )
    .await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        ran.stdout.lines().last(),
        Some(input.len().to_string().as_str())
    );
    let full = run_on(&machine, &["sh", "-c", "yes > /tmp/fill; echo $?"], "").await;
    assert!(
        full.stderr.contains("No space left on device"),
        "{}",
        full.stderr
    );
}
