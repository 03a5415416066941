//! `tar -c`, `-x`, `-t`, without compression.

use super::options::{Order, parse};
use super::tar;
use crate::unix::files::{Kind, join};
use crate::unix::process::{Call, Done};

pub(super) async fn main(call: &mut Call) -> Done {
    // The old form: `tar cf - …`.
    if let Some(first) = call.argv.get_mut(1)
        && !first.starts_with('-')
    {
        first.insert(0, '-');
    }
    let given = parse(call, "cxtf:C:hvzpO", Order::Mixed).await?;
    if given.has('z') {
        return call.fail("compression is not simulated").await;
    }
    let folder = call.path(given.value('C').unwrap_or("."));
    let archive = given.value('f').unwrap_or("-").to_owned();
    if given.has('c') {
        return create(call, &given.operands, &folder, &archive, given.has('h')).await;
    }
    let bytes = match call.read(&archive).await {
        Ok(bytes) => bytes,
        Err(errno) => return call.fail(&format!("can't open '{archive}': {errno}")).await,
    };
    let entries = match tar::read(&bytes) {
        Ok(entries) => entries,
        Err(message) => return call.fail(message).await,
    };
    for entry in entries {
        let name = entry.name.trim_start_matches('/').to_owned();
        if !given.operands.is_empty()
            && !given
                .operands
                .iter()
                .any(|wanted| wanted.trim_start_matches('/') == name)
        {
            continue;
        }
        if given.has('t') || given.has('v') {
            call.out(format!("{name}\n")).await?;
        }
        if given.has('x') {
            let path = join(&folder, &name);
            let done = {
                let mut files = call.machine.base().files();
                match &entry.kind {
                    Kind::Directory(_) => files.mkdir_all(&path, entry.mode),
                    Kind::Link(target) => files.symlink(target, &path),
                    Kind::File(bytes) => files.put(&path, bytes.clone(), entry.mode),
                    Kind::Device(name) => files.device(&path, name),
                }
            };
            if let Err(errno) = done {
                return call.fail(&format!("can't create '{name}': {errno}")).await;
            }
        }
    }
    Ok(0)
}

async fn create(
    call: &Call,
    operands: &[String],
    folder: &str,
    archive: &str,
    follow: bool,
) -> Done {
    if operands.is_empty() {
        return call.fail("empty archive").await;
    }
    let mut code = 0;
    let mut bytes = Vec::new();
    let mut pending: Vec<String> = operands.iter().rev().cloned().collect();
    let mut warned = false;
    while let Some(name) = pending.pop() {
        let path = join(folder, &name);
        let node = {
            let files = call.machine.base().files();
            if follow {
                files.stat(&path).cloned()
            } else {
                files.stat_link(&path).cloned()
            }
        };
        let node = match node {
            Ok(node) => node,
            Err(errno) => {
                call.err(format!("tar: {name}: {errno}\n")).await;
                code = 1;
                continue;
            }
        };
        if name.starts_with('/') && !warned {
            call.err("tar: removing leading '/' from member names\n")
                .await;
            warned = true;
        }
        if let Kind::Directory(entries) = &node.kind {
            pending.extend(entries.keys().rev().map(|entry| join(&name, entry)));
        }
        tar::append(&mut bytes, name.trim_start_matches('/'), &node);
    }
    tar::finish(&mut bytes);
    if archive == "-" {
        call.out(bytes).await?;
    } else if let Err(errno) = {
        call.machine
            .base()
            .files()
            .put(&call.path(archive), bytes, 0o644)
    } {
        return call.fail(&format!("can't open '{archive}': {errno}")).await;
    }
    if code != 0 {
        call.err("tar: error exit delayed from previous errors\n")
            .await;
    }
    Ok(code)
}
