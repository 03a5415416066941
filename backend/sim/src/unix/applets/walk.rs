//! `find`, with the tests that scripts use.

use super::change::seconds;
use crate::unix::files::{Kind, join};
use crate::unix::glob;
use crate::unix::process::{Call, Done, execute};

#[derive(Default)]
struct Wanted {
    name: Option<String>,
    kind: Option<char>,
    deepest: Option<usize>,
    shallowest: usize,
    older_than_days: Option<u64>,
    zero_ended: bool,
    delete: bool,
    command: Option<Vec<String>>,
}

pub(super) async fn find(call: &mut Call) -> Done {
    let mut words = call.args().iter();
    let mut starts = Vec::new();
    let mut wanted = Wanted::default();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            starts.push(word.clone());
            continue;
        }
        let number =
            |text: Option<&String>| text.and_then(|text| text.trim_start_matches('+').parse().ok());
        match word.as_str() {
            "-name" => wanted.name = words.next().cloned(),
            "-type" => wanted.kind = words.next().and_then(|text| text.chars().next()),
            "-maxdepth" => wanted.deepest = number(words.next()),
            "-mindepth" => wanted.shallowest = number(words.next()).unwrap_or(0),
            "-mtime" => {
                wanted.older_than_days = number(words.next()).map(|days: usize| days as u64);
            }
            "-print" => {}
            "-print0" => wanted.zero_ended = true,
            "-delete" => wanted.delete = true,
            "-exec" => {
                let command: Vec<String> = words
                    .by_ref()
                    .take_while(|word| *word != ";" && *word != "+")
                    .cloned()
                    .collect();
                wanted.command = Some(command);
            }
            other => return call.fail(&format!("unrecognized: {other}")).await,
        }
    }
    if starts.is_empty() {
        starts.push(".".to_owned());
    }
    let mut code = 0;
    for start in starts {
        if call
            .machine
            .base()
            .files()
            .stat_link(&call.path(&start))
            .is_err()
        {
            call.err(format!("find: {start}: No such file or directory\n"))
                .await;
            code = 1;
            continue;
        }
        let mut found = Vec::new();
        walk(call, &start, 0, &wanted, &mut found);
        for path in found {
            act(call, &path, &wanted).await?;
        }
    }
    Ok(code)
}

fn walk(call: &Call, shown: &str, depth: usize, wanted: &Wanted, found: &mut Vec<String>) {
    let path = call.path(shown);
    let files = call.machine.base().files();
    let Ok(node) = files.stat_link(&path).cloned() else {
        return;
    };
    let names = if node.is_dir() {
        files.list(&path).unwrap_or_default()
    } else {
        Vec::new()
    };
    drop(files);
    let name = shown.rsplit('/').next().unwrap_or(shown);
    let kind = match node.kind {
        Kind::Directory(_) => 'd',
        Kind::Link(_) => 'l',
        Kind::Device(_) => 'c',
        Kind::File(_) => 'f',
    };
    let age = seconds(call.clock.now()).saturating_sub(seconds(node.modified)) / 86_400;
    let fits = wanted
        .name
        .as_ref()
        .is_none_or(|pattern| glob::matches(pattern, name))
        && wanted.kind.is_none_or(|wanted| wanted == kind)
        && wanted.older_than_days.is_none_or(|days| age > days)
        && depth >= wanted.shallowest;
    if fits {
        found.push(shown.to_owned());
    }
    if wanted.deepest.is_none_or(|deepest| depth < deepest) {
        for name in names {
            walk(call, &join(shown, &name), depth + 1, wanted, found);
        }
    }
    // A folder is removed after what is in it.
    if fits && wanted.delete {
        found.retain(|path| path != shown);
        found.push(shown.to_owned());
    }
}

async fn act(call: &Call, path: &str, wanted: &Wanted) -> Result<(), i32> {
    if wanted.delete {
        let removed = call.machine.base().files().remove(&call.path(path));
        if let Err(errno) = removed {
            call.err(format!("find: {path}: {errno}\n")).await;
        }
        return Ok(());
    }
    if let Some(command) = &wanted.command {
        let argv = command
            .iter()
            .map(|word| word.replace("{}", path))
            .collect();
        if execute(call.with(argv)).await.is_err() {
            return call
                .fail(&format!(
                    "can't execute '{}'",
                    command.first().map_or("", String::as_str)
                ))
                .await;
        }
        return Ok(());
    }
    call.out(format!(
        "{path}{}",
        if wanted.zero_ended { '\0' } else { '\n' }
    ))
    .await
}
