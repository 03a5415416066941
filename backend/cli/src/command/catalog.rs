//! `proximity catalog`: list, search, show, check.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use api::{CatalogApp, CatalogDetail, CatalogParameter, CheckRequest, Checked, Finding};
use reqwest::Method;

use super::apps::{plain, resources, some};
use crate::{
    Console,
    client::{Client, given, segment},
    error::Error,
    table,
    text::clean,
};

/// Names that a compose file may have, best first.
const COMPOSE: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
];
/// Largest file that is sent.
const LARGEST: u64 = 1 << 20;

/// What may be typed.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// Only entries of this category
    #[arg(long)]
    category: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// List the entries that have these words in their name, their tagline or their tags
    Search {
        /// Words
        #[arg(required = true)]
        text: Vec<String>,
        /// Only entries of this category
        #[arg(long)]
        category: Option<String>,
    },
    /// Show an entry with its parameters
    Show {
        /// Id of the entry
        id: String,
    },
    /// Check a compose file, or a folder with compose.yaml and app.yaml, and tell by line what would go wrong
    Check {
        /// File or folder
        path: PathBuf,
    },
}

/// Carries the command out.
pub(crate) async fn run(
    arguments: Arguments,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    match arguments.command {
        None => list(None, arguments.category, client, console).await,
        Some(Command::Search { text, category }) => {
            list(Some(text.join(" ")), category, client, console).await
        }
        Some(Command::Show { id }) => {
            let entry = get(client, &id).await?;
            if !console.value(&entry)? {
                draw(console, &entry)?;
            }
            Ok(())
        }
        Some(Command::Check { path }) => check(&path, client, console).await,
    }
}

/// An entry of the catalog.
pub(crate) async fn get(client: &Client, id: &str) -> Result<CatalogDetail, Error> {
    client.get(&format!("/catalog/{}", segment(id)?)).await
}

async fn list(
    text: Option<String>,
    category: Option<String>,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    let query = given([("q", text), ("category", category)]);
    let entries: Vec<CatalogApp> = client.list("/catalog", &query, None).await?;
    if console.value(&entries)? {
        return Ok(());
    }
    let rows = entries.iter().map(|entry| {
        [
            entry.id.clone(),
            entry.name.clone(),
            entry.version.clone(),
            entry.category.clone(),
            entry.tagline.clone(),
        ]
    });
    table::print(
        console,
        ["ID", "NAME", "VERSION", "CATEGORY", "WHAT IT IS"],
        rows,
        "No such entry in the catalog.",
    )?;
    Ok(())
}

fn draw(console: &mut Console, entry: &CatalogDetail) -> io::Result<()> {
    let app = &entry.app;
    let links: Vec<_> = entry
        .links
        .iter()
        .map(|(kind, link)| format!("{link} ({kind})"))
        .collect();
    table::fields(
        console,
        &[
            ("Id", Some(app.id.clone())),
            ("Name", Some(app.name.clone())),
            ("Version", Some(app.version.clone())),
            ("What it is", Some(app.tagline.clone())),
            ("Category", Some(app.category.clone())),
            (
                "Tags",
                Some(app.tags.join(", ")).filter(|tags| !tags.is_empty()),
            ),
            ("Licence", entry.licence.clone()),
            ("Needs", resources(&app.resources)),
            (
                "Runs on",
                Some(entry.architectures.join(", ")).filter(|list| !list.is_empty()),
            ),
            ("Images", some(&entry.images)),
            ("Links", some(&links)),
            ("First login", entry.first_run.as_ref().map(first_run)),
        ],
    )?;
    if !entry.parameters.is_empty() {
        console.say("")?;
        let rows = entry
            .parameters
            .iter()
            .filter(|parameter| !parameter.hidden)
            .map(|parameter| {
                [
                    parameter.name.clone(),
                    kind(parameter),
                    usual(parameter),
                    parameter
                        .help
                        .clone()
                        .unwrap_or_else(|| parameter.label.clone()),
                ]
            });
        table::print(
            console,
            ["PARAMETER", "TYPE", "DEFAULT", "WHAT IT IS"],
            rows,
            "It has no parameters.",
        )?;
    }
    if !entry.readme.trim().is_empty() {
        console.say("")?;
        for line in entry.readme.trim().lines() {
            console.say(&clean(line))?;
        }
    }
    Ok(())
}

fn first_run(first_run: &api::FirstRun) -> String {
    let parts = [
        first_run
            .username
            .as_ref()
            .map(|username| format!("user {username}")),
        first_run
            .password_parameter
            .as_ref()
            .map(|name| format!("password in {name}")),
        first_run.note.clone(),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        first_run.kind.clone()
    } else {
        parts.join(", ")
    }
}

fn kind(parameter: &CatalogParameter) -> String {
    if parameter.options.is_empty() {
        return parameter.kind.clone();
    }
    let options: Vec<_> = parameter
        .options
        .iter()
        .map(|option| option.value.as_str())
        .collect();
    options.join("|")
}

fn usual(parameter: &CatalogParameter) -> String {
    match &parameter.default {
        Some(value) => plain(value),
        None if parameter.generated => "(generated)".to_owned(),
        None if parameter.required => "(required)".to_owned(),
        None => String::new(),
    }
}

async fn check(path: &Path, client: &Client, console: &mut Console) -> Result<(), Error> {
    let request = entry(path)?;
    let checked: Checked = client
        .ask(Method::POST, "/catalog/check", Some(&request))
        .await?;
    if !console.value(&checked)? {
        for finding in &checked.findings {
            console.say(&line(finding))?;
        }
        let errors = checked
            .findings
            .iter()
            .filter(|finding| finding.severity == api::Severity::Error)
            .count();
        console.note(&match (checked.ok, checked.findings.len()) {
            (true, 0) => "It can be deployed.".to_owned(),
            (true, findings) => format!("It can be deployed; {findings} to look at."),
            (false, findings) => {
                format!("It cannot be deployed: {errors} of {findings} findings are errors.")
            }
        })?;
    }
    if checked.ok {
        Ok(())
    } else {
        Err(Error::Unfit)
    }
}

/// What `compose.yaml:12:3: error: …` editors can jump to.
fn line(finding: &Finding) -> String {
    let mut place = clean(&finding.file);
    for number in [finding.line, finding.column].into_iter().flatten() {
        place.push(':');
        place.push_str(&number.to_string());
    }
    format!("{place}: {}: {}", finding.severity, clean(&finding.message))
}

/// The texts of an entry: of a folder, of the `app.yaml` in it, or of a compose file alone.
fn entry(path: &Path) -> Result<CheckRequest, Error> {
    let is_folder = path.is_dir();
    let is_app = path
        .file_name()
        .is_some_and(|name| name == "app.yaml" || name == "app.yml");
    if !is_folder && !is_app {
        return Ok(CheckRequest {
            compose: read(path)?,
            app: None,
        });
    }
    let folder = if is_folder {
        path
    } else {
        path.parent().unwrap_or(Path::new("."))
    };
    let compose = COMPOSE
        .iter()
        .map(|name| folder.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| Error::Usage(format!("{} has no compose.yaml", folder.display())))?;
    let app = if is_app {
        Some(path.to_owned())
    } else {
        Some(folder.join("app.yaml")).filter(|file| file.is_file())
    };
    Ok(CheckRequest {
        compose: read(&compose)?,
        app: app.map(|app| read(&app)).transpose()?,
    })
}

fn read(path: &Path) -> Result<String, Error> {
    let failed = |source| Error::File {
        path: path.display().to_string(),
        source,
    };
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > LARGEST {
        return Err(Error::Usage(format!(
            "{} is too large for a file of a catalog entry",
            path.display()
        )));
    }
    fs::read_to_string(path).map_err(failed)
}
