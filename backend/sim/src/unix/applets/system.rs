//! The machine and its processes: `id`, `uname`, `ps`, `kill`, `env`, `flock`, …

use super::options::{Order, parse};
use super::time::signal_number;
use crate::unix::fd::Fd;
use crate::unix::machine::Flavour;
use crate::unix::process::{Call, Done, Unstartable, execute};

async fn cannot_execute(call: &Call, command: &str, reason: Unstartable) -> Done {
    let text = match reason {
        Unstartable::NotFound => "No such file or directory",
        Unstartable::NotExecutable => "Permission denied",
    };
    call.fail_with(reason.code(), &format!("can't execute '{command}': {text}"))
        .await
}

pub(super) async fn env(call: &mut Call) -> Done {
    if call.name() == "printenv" && !call.args().is_empty() {
        let mut code = 0;
        for name in call.args() {
            match call.env.get(name) {
                Some(value) => call.out(format!("{value}\n")).await?,
                None => code = 1,
            }
        }
        return Ok(code);
    }
    let given = parse(call, "iu:", Order::First).await?;
    let mut next = call.clone();
    if given.has('i') {
        next.env.clear();
    }
    for name in given.values('u') {
        next.env.remove(name);
    }
    let mut words = given.operands.iter().peekable();
    while let Some((name, value)) = words.peek().and_then(|word| word.split_once('=')) {
        next.env.insert(name.to_owned(), value.to_owned());
        words.next();
    }
    next.argv = words.cloned().collect();
    let Some(command) = next.argv.first().cloned() else {
        for (name, value) in &next.env {
            call.out(format!("{name}={value}\n")).await?;
        }
        return Ok(0);
    };
    match execute(next).await {
        Ok(code) => Ok(code),
        Err(reason) => cannot_execute(call, &command, reason).await,
    }
}

pub(super) async fn detached(call: &mut Call) -> Done {
    let words = call.args().to_vec();
    let Some(command) = words.first().cloned() else {
        return call.fail("missing operand").await;
    };
    match execute(call.with(words)).await {
        Ok(code) => Ok(code),
        Err(reason) => cannot_execute(call, &command, reason).await,
    }
}

/// `busybox` without the name of an applet.
pub(super) async fn busybox(call: &mut Call) -> Done {
    call.out("BusyBox v1.36.1 () multi-call binary.\n").await?;
    Ok(0)
}

/// `flock [-nsxu] FD`, or `flock [-nsx] FILE COMMAND…`.
pub(super) async fn flock(call: &mut Call) -> Done {
    let given = parse(call, "nsxuc:", Order::First).await?;
    let [target, command @ ..] = given.operands.as_slice() else {
        return call.fail("missing operand").await;
    };
    let descriptor = target.parse::<u32>().ok().filter(|_| command.is_empty());
    let fd = if let Some(number) = descriptor {
        match call.fds.get(number) {
            Some(fd) => fd.clone(),
            None => return call.fail(&format!("{target}: Bad file descriptor")).await,
        }
    } else {
        let opened = call.machine.base().open_for_writing(
            &call.path(target),
            0o666 & !call.umask,
            true,
            false,
        );
        match opened {
            Ok(fd) => fd,
            Err(errno) => return call.fail(&format!("can't open '{target}': {errno}")).await,
        }
    };
    let Fd::File(file) = &fd else {
        return call.fail("Bad file descriptor").await;
    };
    let locks = call.machine.base().locks();
    if given.has('u') {
        locks.unlock(file.ino, file.id);
        return Ok(0);
    }
    let exclusive = !given.has('s');
    if given.has('n') {
        if !locks.try_lock(file.ino, file.id, exclusive) {
            return Ok(1);
        }
    } else {
        locks.lock(file.ino, file.id, exclusive).await;
    }
    let mut command = command.to_vec();
    if let Some(text) = given.value('c') {
        command = vec!["sh".to_owned(), "-c".to_owned(), text.to_owned()];
    }
    let Some(program) = command.first().cloned() else {
        return Ok(0);
    };
    match execute(call.with(command)).await {
        Ok(code) => Ok(code),
        Err(reason) => cannot_execute(call, &program, reason).await,
    }
}

pub(super) async fn id(call: &mut Call) -> Done {
    if call.name() == "whoami" {
        call.out("root\n").await?;
        return Ok(0);
    }
    let given = parse(call, "ugnrG", Order::Mixed).await?;
    let text = match (given.has('u') || given.has('g'), given.has('n')) {
        (true, false) => "0\n",
        (true, true) => "root\n",
        _ => "uid=0(root) gid=0(root) groups=0(root)\n",
    };
    call.out(text).await?;
    Ok(0)
}

pub(super) async fn hostname(call: &mut Call) -> Done {
    let given = parse(call, "sfi", Order::Mixed).await?;
    if let Some(name) = given.operands.first() {
        call.machine.base().set_hostname(name);
        return Ok(0);
    }
    if given.has('i') {
        let addresses: Vec<String> = call
            .machine
            .interfaces()
            .into_iter()
            .filter(|interface| interface.name != "lo")
            .flat_map(|interface| interface.addresses)
            .map(|(address, _)| address.to_string())
            .collect();
        call.out(format!("{}\n", addresses.join(" "))).await?;
        return Ok(0);
    }
    call.out(format!("{}\n", call.machine.base().hostname()))
        .await?;
    Ok(0)
}

pub(super) async fn uname(call: &mut Call) -> Done {
    let given = parse(call, "asnrvm", Order::Mixed).await?;
    let (release, version) = ("6.14.11-4-pve", "#1 SMP PREEMPT_DYNAMIC PMX");
    let host = call.machine.base().hostname();
    let parts = [
        ('s', "Linux"),
        ('n', &host),
        ('r', release),
        ('v', version),
        ('m', "x86_64"),
    ];
    let none = !"asnrvm".chars().any(|letter| given.has(letter));
    let mut shown: Vec<&str> = parts
        .into_iter()
        .filter(|(letter, _)| given.has(*letter) || given.has('a') || (none && *letter == 's'))
        .map(|(_, text)| text)
        .collect();
    if given.has('a') && call.machine.base().flavour() == Flavour::Busybox {
        shown.push("Linux");
    }
    call.out(format!("{}\n", shown.join(" "))).await?;
    Ok(0)
}

pub(super) async fn nproc(call: &mut Call) -> Done {
    call.out(format!("{}\n", call.machine.processors())).await?;
    Ok(0)
}

pub(super) async fn free(call: &mut Call) -> Done {
    let given = parse(call, "bkmg", Order::Mixed).await?;
    let unit = match () {
        () if given.has('b') => 1,
        () if given.has('m') => 1 << 20,
        () if given.has('g') => 1 << 30,
        () => 1 << 10,
    };
    let (total, used) = call.machine.memory();
    let left = total.saturating_sub(used);
    call.out(format!(
        "              total        used        free      shared  buff/cache   available\nMem:     {:>10}  {:>10}  {:>10}           0           0  {:>10}\nSwap:             0           0           0\n",
        total / unit,
        used / unit,
        left / unit,
        left / unit,
    ))
    .await?;
    Ok(0)
}

pub(super) async fn uptime(call: &mut Call) -> Done {
    call.out(" 12:00:00 up 1 min,  0 users,  load average: 0.00, 0.00, 0.00\n")
        .await?;
    Ok(0)
}

pub(super) async fn tty(call: &mut Call) -> Done {
    call.out("not a tty\n").await?;
    Ok(1)
}

/// busybox takes and ignores the options of other systems' `ps`.
pub(super) async fn ps(call: &mut Call) -> Done {
    let mut text = "PID   USER     TIME  COMMAND\n".to_owned();
    if call.machine.base().flavour() == Flavour::Busybox {
        text.push_str("    1 root      0:00 /sbin/init\n");
    }
    for (pid, command) in call.machine.base().processes() {
        text.push_str(&format!("{pid:>5} root      0:00 {command}\n"));
    }
    call.out(text).await?;
    Ok(0)
}

pub(super) async fn pidof(call: &mut Call) -> Done {
    let given = parse(call, "fxsalo:", Order::Mixed).await?;
    let Some(wanted) = given.operands.first() else {
        return call.fail("missing operand").await;
    };
    let pids: Vec<String> = call
        .machine
        .base()
        .processes()
        .into_iter()
        .filter(|(pid, command)| {
            let program = command.split(' ').next().unwrap_or_default();
            let name = program.rsplit('/').next().unwrap_or_default();
            *pid != call.pid
                && (name == wanted || (given.has('f') && command.contains(wanted.as_str())))
        })
        .map(|(pid, _)| pid.to_string())
        .collect();
    if pids.is_empty() {
        return Ok(1);
    }
    let separator = if call.name() == "pidof" { " " } else { "\n" };
    call.out(format!("{}\n", pids.join(separator))).await?;
    Ok(0)
}

pub(super) async fn kill(call: &mut Call) -> Done {
    let mut signal = 15;
    let mut words = call.args().iter();
    let mut pids = Vec::new();
    while let Some(word) = words.next() {
        let name = match word.strip_prefix('-') {
            Some("s") => words.next().map(String::as_str),
            Some("-") => continue,
            Some(name) => Some(name),
            None => {
                pids.push(word.clone());
                continue;
            }
        };
        match name.and_then(signal_number) {
            Some(number) => signal = number,
            None => return call.fail(&format!("bad signal name '{word}'")).await,
        }
    }
    let mut code = 0;
    for pid in pids {
        let Ok(number) = pid.parse::<u32>() else {
            return call.fail(&format!("invalid number '{pid}'")).await;
        };
        if !call.machine.base().kill(number, signal.unsigned_abs()) {
            call.err(format!("sh: can't kill pid {pid}: No such process\n"))
                .await;
            code = 1;
        }
    }
    Ok(code)
}
