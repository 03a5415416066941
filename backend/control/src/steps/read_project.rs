//! Reading an app back out of its container.

use std::time::Duration;

use async_trait::async_trait;
use catalog::{Answers, Manifest, Recovered};
use saga::{Failure, Saga, Step, StepContext, StepError};
use ssh::Command;
use store::{Found, Hidden};

use crate::{broken, context::Context, operations::State, project};

/// Most bytes of one file. What Proximity writes is far smaller.
const MOST: usize = 256 << 10;

/// Reads `compose.yaml`, `compose.override.yaml` and `.env` in the container and makes the app's release and answers
/// of them: the catalog's entry where it fits the compose file, else the compose file alone.
///
/// *Writes down* what it found in the app's row and its release, secrets sealed with this installation's key.
/// *Recognises* nothing: the same is read and written again. *Undo* forgets the answers; the container is not
/// touched, and the row itself is taken back with the operation's end.
pub(crate) struct ReadProject;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for ReadProject {
    fn name(&self) -> &'static str {
        "read_project"
    }

    fn timeout(&self, _context: &Context) -> Duration {
        Duration::from_mins(2)
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let compose = read(cx, "compose.yaml").await?;
        let overrides = read(cx, "compose.override.yaml").await?;
        let env = read(cx, ".env").await?;
        let (manifest, recovered) = understand(cx, &compose, &env)?;
        compare(cx, &manifest, &recovered.answers, &overrides, &env);
        let values = &recovered.answers.values;
        let found = Found {
            release: project::release(&manifest),
            parameters: values
                .iter()
                .filter(|(_, answer)| !answer.secret)
                .map(|(name, answer)| (name.clone(), answer.value.clone()))
                .collect(),
            sealed: seal(cx, &recovered.answers),
        };
        cx.state.catalog_id.clone_from(&manifest.id);
        let apps = cx.context.store.apps();
        apps.found(&cx.context.lease, found).await.map_err(broken)
    }

    async fn undo(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let sealed = seal(cx, &Answers::default());
        let apps = cx.context.store.apps();
        apps.forget_answers(&cx.context.lease, sealed)
            .await
            .map_err(broken)
    }
}

fn seal<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    answers: &Answers,
) -> Hidden<Vec<u8>> {
    let plain = serde_json::to_vec(answers).expect("answers are plain values");
    let row = project::answers_row(cx.state.app);
    Hidden(cx.context.secrets.seal(&row, &plain))
}

/// One file of the project, whole or not at all.
async fn read<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    name: &str,
) -> Result<String, StepError> {
    let path = format!("{}/{name}", cx.state.compose().folder());
    cx.log(format!("reading {path}"));
    let count = (MOST + 1).to_string();
    let command = Command::new(["head", "-c", &count, &path])
        .deadline(Duration::from_secs(30))
        .keep(MOST + 1);
    let output = cx
        .context
        .hosts
        .exec(cx.state.vmid()?, "reading the project", command)
        .await?;
    if output.code != 0 {
        let failure = Failure::new(
            "project_missing",
            format!("The container has no {path} that can be read."),
        )
        .evidence(output.last_lines(3))
        .hint("Only a container that was deployed to its end can be adopted, and only under its own host name.");
        return Err(failure.into());
    }
    if output.stdout.len() > MOST {
        return Err(strange(&path, "is larger than anything that Proximity writes").into());
    }
    String::from_utf8(output.stdout).map_err(|_| strange(&path, "is not text").into())
}

fn strange(path: &str, how: &str) -> Failure {
    Failure::new("project_unreadable", format!("{path} {how}."))
        .hint("Somebody changed it. Put it right in the container, then adopt it again.")
}

/// The manifest that describes what is installed, and the answers that its `.env` holds.
fn understand<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    compose: &str,
    env: &str,
) -> Result<(Manifest, Recovered), StepError> {
    let (id, folder) = (&cx.state.catalog_id, cx.state.compose());
    let entry = cx.context.catalog.get(id);
    let manifest = match entry {
        Some(entry) if entry.file("compose.yaml") == Some(compose.as_bytes()) => entry.clone(),
        Some(entry) => {
            cx.log(format!("the catalog's {id} has another compose.yaml by now; the container's own one is kept"));
            let mut files = entry.bundle().files;
            files.insert("compose.yaml".to_owned(), compose.as_bytes().to_vec());
            match Manifest::from_files(id, files) {
                Ok(manifest) => manifest,
                Err(_) => plain(cx, compose)?,
            }
        }
        None => {
            cx.log(format!(
                "the catalog has no {id}; the app is taken from its compose.yaml alone"
            ));
            plain(cx, compose)?
        }
    };
    let path = format!("{}/.env", folder.folder());
    let recovered = manifest
        .recover(env)
        .map_err(|reason| strange(&path, &format!("cannot be understood: {reason}")))?;
    for (names, what) in [
        (&recovered.missing, "not in .env and unknown from now on"),
        (
            &recovered.unknown,
            "in .env and no parameter; the next deployment leaves it out",
        ),
    ] {
        for name in names {
            cx.log(format!("{name} is {what}"));
        }
    }
    Ok((manifest, recovered))
}

fn plain<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    compose: &str,
) -> Result<Manifest, StepError> {
    let path = format!("{}/compose.yaml", cx.state.compose().folder());
    Manifest::from_compose(&cx.state.catalog_id, compose.as_bytes()).map_err(|error| {
        strange(&path, "cannot be understood")
            .evidence(error.to_string())
            .into()
    })
}

/// Says where a later deployment would write something else than what is there now.
fn compare<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    manifest: &Manifest,
    answers: &Answers,
    overrides: &str,
    env: &str,
) {
    let Ok(files) = project::render(manifest, answers, cx.state) else {
        cx.log("the files of this app cannot be written anew from what was read");
        return;
    };
    for (path, there) in [("compose.override.yaml", overrides), (".env", env)] {
        let same = files
            .iter()
            .any(|file| file.path == path && file.bytes == there.as_bytes());
        if !same {
            cx.log(format!(
                "{path} is not as a deployment would write it now; it stays as it is until then"
            ));
        }
    }
}
