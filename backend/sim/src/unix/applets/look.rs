//! Looking at files: `ls`, `stat`, `readlink`, `df`, `du`, `which`.

use super::change::seconds;
use super::options::{Order, parse};
use super::time::calendar;
use crate::unix::files::{Errno, Kind, join, tidy};
use crate::unix::process::{Call, Done, find};

/// `drwxr-xr-x`.
fn letters(node: &crate::unix::files::Node) -> String {
    let kind = match node.kind {
        Kind::Directory(_) => 'd',
        Kind::Link(_) => 'l',
        Kind::Device(_) => 'c',
        Kind::File(_) => '-',
    };
    let bits = (0..9).map(|bit| {
        let set = node.mode & (0o400 >> bit) != 0;
        if set { ['r', 'w', 'x'][bit % 3] } else { '-' }
    });
    std::iter::once(kind).chain(bits).collect()
}

fn owner(id: u32) -> String {
    if id == 0 {
        "root".to_owned()
    } else {
        id.to_string()
    }
}

pub(super) async fn ls(call: &mut Call) -> Done {
    let given = parse(call, "1aAldhRtrinC", Order::Mixed).await?;
    let operands = if given.operands.is_empty() {
        vec![".".to_owned()]
    } else {
        given.operands.clone()
    };
    let mut code = 0;
    for operand in &operands {
        let path = call.path(operand);
        let listed = {
            let files = call.machine.base().files();
            match files.stat_link(&path) {
                Err(errno) => Err(errno),
                Ok(node) if node.is_dir() && !given.has('d') => {
                    files.list(&path).map(|mut names| {
                        if given.has('a') {
                            names.splice(0..0, [".".to_owned(), "..".to_owned()]);
                        }
                        names.retain(|name| {
                            given.has('a') || given.has('A') || !name.starts_with('.')
                        });
                        names
                            .into_iter()
                            .map(|name| (join(&path, &name), name))
                            .collect::<Vec<_>>()
                    })
                }
                Ok(_) => Ok(vec![(path.clone(), operand.clone())]),
            }
        };
        let mut entries = match listed {
            Ok(entries) => entries,
            Err(errno) => {
                call.err(format!("ls: {operand}: {errno}\n")).await;
                code = 1;
                continue;
            }
        };
        if given.has('r') {
            entries.reverse();
        }
        let mut text = String::new();
        if operands.len() > 1 {
            text.push_str(&format!("{operand}:\n"));
        }
        for (path, name) in entries {
            let node = call.machine.base().files().stat_link(&path).cloned();
            match node {
                Ok(node) if given.has('l') => {
                    let target = match &node.kind {
                        Kind::Link(target) => format!(" -> {target}"),
                        _ => String::new(),
                    };
                    text.push_str(&format!(
                        "{} {:>4} {:<8} {:<8} {:>9} {} {name}{target}\n",
                        letters(&node),
                        1,
                        owner(node.uid),
                        owner(node.gid),
                        node.size(),
                        calendar(seconds(node.modified)).listing(),
                    ));
                }
                _ => text.push_str(&format!("{name}\n")),
            }
        }
        call.out(text).await?;
    }
    Ok(code)
}

pub(super) async fn stat(call: &mut Call) -> Done {
    let given = parse(call, "c:tLf", Order::Mixed).await?;
    let Some(format) = given.value('c') else {
        return call.fail("only stat -c is simulated").await;
    };
    let mut code = 0;
    for operand in &given.operands {
        let path = call.path(operand);
        let node = {
            let files = call.machine.base().files();
            if given.has('L') {
                files.stat(&path).cloned()
            } else {
                files.stat_link(&path).cloned()
            }
        };
        match node {
            Ok(node) => {
                call.out(format!("{}\n", described(format, operand, &node)))
                    .await?;
            }
            Err(errno) => {
                call.err(format!("stat: can't stat '{operand}': {errno}\n"))
                    .await;
                code = 1;
            }
        }
    }
    Ok(code)
}

fn described(format: &str, name: &str, node: &crate::unix::files::Node) -> String {
    let mut text = String::new();
    let mut characters = format.chars();
    while let Some(c) = characters.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        match characters.next() {
            Some('a') => text.push_str(&format!("{:o}", node.mode)),
            Some('A') => text.push_str(&letters(node)),
            Some('u') => text.push_str(&node.uid.to_string()),
            Some('g') => text.push_str(&node.gid.to_string()),
            Some('U') => text.push_str(&owner(node.uid)),
            Some('G') => text.push_str(&owner(node.gid)),
            Some('s') => text.push_str(&node.size().to_string()),
            Some('n') => text.push_str(name),
            Some('Y') => text.push_str(&seconds(node.modified).to_string()),
            Some('F') => text.push_str(match node.kind {
                Kind::Directory(_) => "directory",
                Kind::Link(_) => "symbolic link",
                Kind::Device(_) => "character special file",
                Kind::File(_) => "regular file",
            }),
            Some('%') | None => text.push('%'),
            Some(other) => text.extend(['%', other]),
        }
    }
    text
}

pub(super) async fn readlink(call: &mut Call) -> Done {
    let given = parse(call, "fnsqm", Order::Mixed).await?;
    let whole = given.has('f') || call.name() == "realpath";
    let mut code = 0;
    for operand in &given.operands {
        let path = call.path(operand);
        let found = {
            let files = call.machine.base().files();
            if whole {
                real(&files, &path)
            } else {
                match files.stat_link(&path) {
                    Ok(node) => match &node.kind {
                        Kind::Link(target) => Ok(target.clone()),
                        _ => Err(Errno::Invalid),
                    },
                    Err(errno) => Err(errno),
                }
            }
        };
        match found {
            Ok(text) => call.out(format!("{text}\n")).await?,
            Err(errno) => {
                if call.name() == "realpath" {
                    call.err(format!("realpath: {operand}: {errno}\n")).await;
                }
                code = 1;
            }
        }
    }
    Ok(code)
}

/// A path with every link resolved; its last part need not exist.
fn real(files: &crate::unix::files::Files, path: &str) -> Result<String, Errno> {
    let mut done = String::new();
    let mut parts: Vec<String> = tidy(path)
        .split('/')
        .filter(|part| !part.is_empty())
        .rev()
        .map(str::to_owned)
        .collect();
    let mut links = 0;
    while let Some(part) = parts.pop() {
        let here = format!("{done}/{part}");
        match files.stat_link(&here) {
            Ok(node) => match &node.kind {
                Kind::Link(target) => {
                    links += 1;
                    if links > 40 {
                        return Err(Errno::Loop);
                    }
                    let joined = tidy(&join(if done.is_empty() { "/" } else { &done }, target));
                    parts.extend(
                        joined
                            .split('/')
                            .filter(|part| !part.is_empty())
                            .rev()
                            .map(str::to_owned),
                    );
                    done.clear();
                }
                _ => done = here,
            },
            Err(Errno::NotFound) if parts.is_empty() => done = here,
            Err(errno) => return Err(errno),
        }
    }
    Ok(if done.is_empty() {
        "/".to_owned()
    } else {
        done
    })
}

pub(super) async fn df(call: &mut Call) -> Done {
    let given = parse(call, "khmPT", Order::Mixed).await?;
    let unit: u64 = if given.has('m') { 1 << 20 } else { 1 << 10 };
    let (limit, used) = {
        let files = call.machine.base().files();
        (files.limit(), files.used())
    };
    let free = limit.saturating_sub(used);
    let percent = (used * 100).div_ceil(limit.max(1));
    let shown = |bytes: u64| {
        if given.has('h') {
            let tenths = bytes * 10 / (1 << 20);
            format!("{}.{}M", tenths / 10, tenths % 10)
        } else {
            (bytes / unit).to_string()
        }
    };
    let heading = if given.has('m') {
        "1M-blocks"
    } else {
        "1K-blocks"
    };
    call.out(format!(
        "Filesystem           {heading:>10}      Used Available Use% Mounted on\n/dev/loop0           {:>10} {:>9} {:>9} {percent:>3}% /\n",
        shown(limit),
        shown(used),
        shown(free),
    ))
    .await?;
    Ok(0)
}

pub(super) async fn du(call: &mut Call) -> Done {
    let given = parse(call, "skhm", Order::Mixed).await?;
    if !given.has('s') {
        return call.fail("only du -s is simulated").await;
    }
    let unit = if given.has('m') { 1 << 20 } else { 1 << 10 };
    let operands = if given.operands.is_empty() {
        vec![".".to_owned()]
    } else {
        given.operands
    };
    for operand in operands {
        let mut total: u64 = 0;
        let mut pending = vec![call.path(&operand)];
        while let Some(path) = pending.pop() {
            let files = call.machine.base().files();
            total += files
                .stat_link(&path)
                .map_or(0, crate::unix::files::Node::size);
            if files
                .stat_link(&path)
                .is_ok_and(crate::unix::files::is_folder)
            {
                pending.extend(
                    files
                        .list(&path)
                        .unwrap_or_default()
                        .iter()
                        .map(|name| join(&path, name)),
                );
            }
        }
        call.out(format!("{}\t{operand}\n", total.div_ceil(unit)))
            .await?;
    }
    Ok(0)
}

pub(super) async fn which(call: &mut Call) -> Done {
    let mut code = 0;
    for name in call.args() {
        let search = call.env.get("PATH").map(String::as_str);
        match find(call.machine.as_ref(), search, &call.cwd, name) {
            Ok(path) => call.out(format!("{path}\n")).await?,
            Err(_) => code = 1,
        }
    }
    Ok(code)
}
