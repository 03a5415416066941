//! Making, removing and describing files: `mkdir`, `rm`, `ln`, `chmod`, …

use std::time::SystemTime;

use super::options::{Order, parse};
use crate::unix::files::{Errno, Files, join};
use crate::unix::process::{Call, Done};

pub(super) async fn mkdir(call: &mut Call) -> Done {
    let given = parse(call, "pm:v", Order::Mixed).await?;
    let mode = match given.value('m') {
        None => 0o777 & !call.umask,
        Some(text) => match new_mode(text, 0o777, true) {
            Some(mode) => mode,
            None => return call.fail(&format!("invalid mode '{text}'")).await,
        },
    };
    let mut code = 0;
    for operand in &given.operands {
        let path = call.path(operand);
        let made = {
            let mut files = call.machine.base().files();
            if given.has('p') {
                let there = files.exists(&path);
                let made = files.mkdir_all(&path, 0o777 & !call.umask);
                if made.is_ok() && !there {
                    made.and_then(|()| files.change(&path, |node| node.mode = mode))
                } else {
                    made
                }
            } else {
                files.mkdir(&path, mode)
            }
        };
        if let Err(errno) = made {
            call.err(format!(
                "mkdir: can't create directory '{operand}': {errno}\n"
            ))
            .await;
            code = 1;
        }
    }
    Ok(code)
}

pub(super) async fn rmdir(call: &mut Call) -> Done {
    let given = parse(call, "p", Order::Mixed).await?;
    let mut code = 0;
    for operand in &given.operands {
        let path = call.path(operand);
        let removed = {
            let mut files = call.machine.base().files();
            match files.stat_link(&path).map(super::super::files::is_folder) {
                Ok(true) => files.remove(&path),
                Ok(false) => Err(Errno::NotDirectory),
                Err(errno) => Err(errno),
            }
        };
        if let Err(errno) = removed {
            call.err(format!("rmdir: '{operand}': {errno}\n")).await;
            code = 1;
        }
    }
    Ok(code)
}

pub(super) async fn rm(call: &mut Call) -> Done {
    let given = parse(call, "rRfi", Order::Mixed).await?;
    let recursive = given.has('r') || given.has('R');
    let force = given.has('f');
    if given.operands.is_empty() && !force {
        return call.fail("missing operand").await;
    }
    let mut code = 0;
    for operand in &given.operands {
        let path = call.path(operand);
        let removed = {
            let mut files = call.machine.base().files();
            match files.stat_link(&path).map(super::super::files::is_folder) {
                Ok(true) if !recursive => Err(Errno::IsDirectory),
                Ok(_) => files.remove_all(&path),
                Err(Errno::NotFound | Errno::NotDirectory) if force => Ok(()),
                Err(errno) => Err(errno),
            }
        };
        if let Err(errno) = removed {
            let message = match errno {
                Errno::IsDirectory => format!("rm: '{operand}' is a directory\n"),
                errno => format!("rm: can't remove '{operand}': {errno}\n"),
            };
            call.err(message).await;
            code = 1;
        }
    }
    Ok(code)
}

pub(super) async fn ln(call: &mut Call) -> Done {
    let given = parse(call, "sfn", Order::Mixed).await?;
    let [target, name] = given.operands.as_slice() else {
        return call.fail("two names are needed").await;
    };
    let mut path = call.path(name);
    let made = {
        let mut files = call.machine.base().files();
        let folder = if given.has('n') {
            files.stat_link(&path)
        } else {
            files.stat(&path)
        };
        if folder.is_ok_and(super::super::files::is_folder) {
            path = join(&path, target.rsplit('/').next().unwrap_or(target));
        }
        if given.has('f') && files.stat_link(&path).is_ok() {
            files.remove(&path)
        } else {
            Ok(())
        }
        .and_then(|()| {
            if given.has('s') {
                files.symlink(target, &path)
            } else {
                hard_link(&mut files, &call.path(target), &path)
            }
        })
    };
    match made {
        Ok(()) => Ok(0),
        Err(errno) => call.fail(&format!("{name}: {errno}")).await,
    }
}

/// Hard links are not modelled: a copy does for everything but sharing later changes.
fn hard_link(files: &mut Files, target: &str, path: &str) -> Result<(), Errno> {
    if files.exists(path) {
        return Err(Errno::Exists);
    }
    let (bytes, mode) = (files.read(target)?, files.stat(target)?.mode);
    files.put(path, bytes, mode)
}

pub(super) async fn touch(call: &mut Call) -> Done {
    let given = parse(call, "cd:t:r:", Order::Mixed).await?;
    let now = call.clock.now();
    let mut code = 0;
    for operand in &given.operands {
        let path = call.path(operand);
        let mut done = Ok(());
        {
            let mut files = call.machine.base().files();
            if !files.exists(&path) && !given.has('c') {
                done = files
                    .open_for_writing(&path, 0o666 & !call.umask, false)
                    .map(drop);
            }
            if files.exists(&path) {
                done = files.change(&path, |node| node.modified = now);
            }
        }
        if let Err(errno) = done {
            call.err(format!("touch: {operand}: {errno}\n")).await;
            code = 1;
        }
    }
    Ok(code)
}

pub(super) async fn mktemp(call: &mut Call) -> Done {
    let given = parse(call, "dqtup:", Order::Mixed).await?;
    let mut template = given
        .operands
        .first()
        .map_or("tmp.XXXXXX", String::as_str)
        .to_owned();
    if given.operands.is_empty() || given.has('t') || given.has('p') {
        let folder = given
            .value('p')
            .or(call.env.get("TMPDIR").map(String::as_str))
            .unwrap_or("/tmp");
        template = join(folder, &template);
    }
    if !template.ends_with("XXXXXX") {
        return call.fail("Invalid argument").await;
    }
    template.truncate(template.len() - 6);
    let letters: String = (0..6)
        .map(|_| char::from(b'a' + rand::random::<u8>() % 26))
        .collect();
    template.push_str(&letters);
    let path = call.path(&template);
    let made = {
        let mut files = call.machine.base().files();
        if given.has('d') {
            files.mkdir(&path, 0o700)
        } else {
            files.open_for_writing(&path, 0o600, true).map(drop)
        }
    };
    if let Err(errno) = made {
        return call.fail(&format!("{template}: {errno}")).await;
    }
    call.out(format!("{template}\n")).await?;
    Ok(0)
}

pub(super) async fn chmod(call: &mut Call) -> Done {
    let (recursive, operands) = mode_operands(call);
    let Some((text, paths)) = operands.split_first() else {
        return call.fail("missing operand").await;
    };
    if new_mode(text, 0, false).is_none() {
        return call.fail(&format!("invalid mode '{text}'")).await;
    }
    apply(call, paths, recursive, |files, path| {
        files.change(path, |node| {
            let folder = node.is_dir();
            node.mode = new_mode(text, node.mode, folder).unwrap_or(node.mode);
        })
    })
    .await
}

/// A mode may begin with a minus (`chmod -x FILE`), so only these are options.
fn mode_operands(call: &Call) -> (bool, Vec<String>) {
    let recursive = call.args().iter().any(|word| word == "-R");
    let rest = call
        .args()
        .iter()
        .filter(|word| !matches!(word.as_str(), "-R" | "-f" | "--"))
        .cloned();
    (recursive, rest.collect())
}

/// `0640`, `u+x`, `go-w`, `a=rX`: the mode that comes of it.
fn new_mode(text: &str, before: u32, folder: bool) -> Option<u32> {
    if text.chars().all(|c| c.is_digit(8)) {
        return u32::from_str_radix(text, 8)
            .ok()
            .filter(|mode| *mode <= 0o7777);
    }
    let mut mode = before;
    for clause in text.split(',') {
        let at = clause.find(['+', '-', '='])?;
        let (who, action) = clause.split_at(at);
        let mut mask = 0;
        for c in who.chars() {
            mask |= match c {
                'u' => 0o700,
                'g' => 0o070,
                'o' => 0o007,
                'a' => 0o777,
                _ => return None,
            };
        }
        if who.is_empty() {
            mask = 0o777;
        }
        let mut bits = 0;
        for c in action[1..].chars() {
            bits |= match c {
                'r' => 0o444,
                'w' => 0o222,
                'x' => 0o111,
                'X' if folder || before & 0o111 != 0 => 0o111,
                'X' | 's' | 't' => 0,
                _ => return None,
            };
        }
        match action.as_bytes()[0] {
            b'+' => mode |= bits & mask,
            b'-' => mode &= !(bits & mask),
            _ => mode = (mode & !mask) | (bits & mask),
        }
    }
    Some(mode)
}

pub(super) async fn chown(call: &mut Call) -> Done {
    let (recursive, operands) = mode_operands(call);
    let Some((text, paths)) = operands.split_first() else {
        return call.fail("missing operand").await;
    };
    let (user, group) = match text.split_once([':', '.']) {
        _ if call.name() == "chgrp" => (None, Some(text.as_str())),
        Some((user, group)) => (Some(user), Some(group)),
        None => (Some(text.as_str()), None),
    };
    let mut ids = [None, None];
    for (place, (name, file)) in [(user, "/etc/passwd"), (group, "/etc/group")]
        .into_iter()
        .enumerate()
    {
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            continue;
        };
        let id = name
            .parse()
            .ok()
            .or_else(|| by_name(&call.machine.base().files(), file, name));
        if id.is_none() {
            return call.fail(&format!("unknown user {name}")).await;
        }
        ids[place] = id;
    }
    apply(call, paths, recursive, |files, path| {
        files.change(path, |node| {
            node.uid = ids[0].unwrap_or(node.uid);
            node.gid = ids[1].unwrap_or(node.gid);
        })
    })
    .await
}

/// The number of a user or group.
fn by_name(files: &Files, file: &str, name: &str) -> Option<u32> {
    files.text(file)?.lines().find_map(|line| {
        let mut parts = line.split(':');
        (parts.next() == Some(name)).then(|| parts.nth(1)?.parse().ok())?
    })
}

async fn apply(
    call: &Call,
    paths: &[String],
    recursive: bool,
    act: impl Fn(&mut Files, &str) -> Result<(), Errno> + Send + Sync,
) -> Done {
    let mut code = 0;
    for operand in paths {
        let mut pending = vec![call.path(operand)];
        while let Some(path) = pending.pop() {
            let done = act(&mut call.machine.base().files(), &path);
            if recursive {
                let names = call.machine.base().files().list(&path).unwrap_or_default();
                pending.extend(names.iter().map(|name| join(&path, name)));
            }
            if let Err(errno) = done {
                call.err(format!("{}: {operand}: {errno}\n", call.name()))
                    .await;
                code = 1;
            }
        }
    }
    Ok(code)
}

/// Seconds since 1970 of a time.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
