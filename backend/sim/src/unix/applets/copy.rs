//! Moving bytes: `cat`, `cp`, `mv`, `tee`, `cmp`.

use super::options::{Order, parse};
use crate::unix::fd::{Fd, Unwritable};
use crate::unix::files::{self, Errno, Files, Kind};
use crate::unix::process::{Call, Done};

pub(super) async fn cat(call: &mut Call) -> Done {
    let given = parse(call, "u", Order::Mixed).await?;
    let mut operands = given.operands;
    if operands.is_empty() {
        operands.push("-".to_owned());
    }
    let mut code = 0;
    for operand in operands {
        let input = match operand.as_str() {
            "-" => Ok(call.fd(0)),
            path => call.open(path),
        };
        match input {
            Ok(input) => pour(call, &input).await?,
            Err(errno) => {
                let message = match errno {
                    Errno::IsDirectory => format!("cat: read error: {errno}\n"),
                    _ => format!("cat: can't open '{operand}': {errno}\n"),
                };
                call.err(message).await;
                code = 1;
            }
        }
    }
    Ok(code)
}

async fn pour(call: &Call, input: &Fd) -> Result<(), i32> {
    while let Some(piece) = input.read().await {
        call.out(piece).await?;
    }
    Ok(())
}

pub(super) async fn tee(call: &mut Call) -> Done {
    let given = parse(call, "ai", Order::Mixed).await?;
    let mut targets = Vec::new();
    let mut code = 0;
    for operand in &given.operands {
        let path = call.path(operand);
        let full = call.machine.refuses_writes(&path);
        match call
            .machine
            .base()
            .open_for_writing(&path, 0o666 & !call.umask, given.has('a'), full)
        {
            Ok(fd) => targets.push(fd),
            Err(errno) => {
                call.err(format!("tee: {operand}: {errno}\n")).await;
                code = 1;
            }
        }
    }
    let input = call.fd(0);
    while let Some(piece) = input.read().await {
        for target in &targets {
            if let Err(reason @ Unwritable::File(_)) = target.write(piece.clone()).await {
                return call.fail(&format!("write error: {reason}")).await;
            }
        }
        call.out(piece).await?;
    }
    Ok(code)
}

pub(super) async fn cmp(call: &mut Call) -> Done {
    let given = parse(call, "sl", Order::Mixed).await?;
    let [left, right] = given.operands.as_slice() else {
        return call.fail_with(2, "two files are needed").await;
    };
    let mut contents = Vec::new();
    for path in [left, right] {
        match call.read(path).await {
            Ok(bytes) => contents.push(bytes),
            Err(errno) => {
                return call
                    .fail_with(2, &format!("can't open '{path}': {errno}"))
                    .await;
            }
        }
    }
    if contents[0] == contents[1] {
        return Ok(0);
    }
    if !given.has('s') {
        let at = contents[0]
            .iter()
            .zip(&contents[1])
            .take_while(|(a, b)| a == b)
            .count();
        call.out(format!("{left} {right} differ: char {}\n", at + 1))
            .await?;
    }
    Ok(1)
}

/// The path that an operand becomes below a destination.
fn below(files: &Files, call: &Call, source: &str, destination: &str) -> String {
    let target = call.path(destination);
    if files.stat(&target).is_ok_and(files::is_folder) {
        let name = source
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or(source);
        return files::join(&target, name);
    }
    target
}

fn copy(files: &mut Files, from: &str, to: &str, recursive: bool, keep: bool) -> Result<(), Errno> {
    let node = if recursive {
        files.stat_link(from)?.clone()
    } else {
        files.stat(from)?.clone()
    };
    match node.kind {
        Kind::Directory(_) if !recursive => return Err(Errno::IsDirectory),
        Kind::Directory(entries) => {
            if !files.exists(to) {
                files.mkdir(to, node.mode)?;
            }
            for name in entries.keys() {
                copy(
                    files,
                    &files::join(from, name),
                    &files::join(to, name),
                    recursive,
                    keep,
                )?;
            }
        }
        Kind::File(bytes) => {
            let ino = files.open_for_writing(to, node.mode, true)?;
            files.write_at(ino, 0, &bytes)?;
        }
        Kind::Link(target) => return files.symlink(&target, to),
        Kind::Device(name) => return files.device(to, name),
    }
    if keep {
        files.change(to, |copy| {
            (copy.mode, copy.uid, copy.gid, copy.modified) =
                (node.mode, node.uid, node.gid, node.modified);
        })?;
    }
    Ok(())
}

pub(super) async fn cp(call: &mut Call) -> Done {
    let given = parse(call, "arRpfdL", Order::Mixed).await?;
    let recursive = given.has('a') || given.has('r') || given.has('R');
    let keep = given.has('a') || given.has('p');
    each(call, &given.operands, |files, from, to| {
        copy(files, from, to, recursive, keep)
    })
    .await
}

pub(super) async fn mv(call: &mut Call) -> Done {
    let given = parse(call, "fn", Order::Mixed).await?;
    let keep = given.has('n');
    each(call, &given.operands, |files, from, to| {
        if keep && files.exists(to) {
            Ok(())
        } else {
            files.rename(from, to)
        }
    })
    .await
}

/// Does something for every source and its place at the destination.
async fn each(
    call: &Call,
    operands: &[String],
    act: impl Fn(&mut Files, &str, &str) -> Result<(), Errno> + Send + Sync,
) -> Done {
    let Some((destination, sources)) = operands
        .split_last()
        .filter(|(_, sources)| !sources.is_empty())
    else {
        return call.fail("missing operand").await;
    };
    let mut code = 0;
    for source in sources {
        let from = call.path(source);
        let to = below(&call.machine.base().files(), call, source, destination);
        let full = call.machine.refuses_writes(&to);
        let done = if full {
            Err(Errno::NoSpace)
        } else {
            act(&mut call.machine.base().files(), &from, &to)
        };
        if let Err(errno) = done {
            let name = call.name().to_owned();
            let message = match errno {
                Errno::NotFound
                    if call.machine.base().files().lookup_link(&from).is_err() && name == "mv" =>
                {
                    format!("can't rename '{source}': {errno}")
                }
                Errno::NotFound if call.machine.base().files().lookup_link(&from).is_err() => {
                    format!("can't stat '{source}': {errno}")
                }
                Errno::IsDirectory => format!("omitting directory '{source}'"),
                Errno::NoSpace => format!("write error: {errno}"),
                _ => format!("can't create '{destination}': {errno}"),
            };
            call.err(format!("{name}: {message}\n")).await;
            code = 1;
        }
    }
    Ok(code)
}
