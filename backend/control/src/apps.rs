//! Apps: deploying them, looking at them, starting operations on them.

use api::{App, AppState, Deploy, Deployed, Operation, OperationKind, Page};
use indexmap::IndexMap;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use store::{
    AppChange, AppFilter, Deployment, Hidden, IdempotencyKey, NewApp, NewOperation, PageRequest,
    Reserved,
};

use crate::{
    Asked, Control, Error, hostname,
    operations::{Size, State},
    planning::Wish,
    project, random,
};

/// Numbers that are tried behind a name that nobody chose.
const NUMBERS: u32 = 50;

impl Control {
    /// Writes a deployment down; a worker carries it out.
    pub async fn deploy(&self, asked: &Asked, request: Deploy) -> Result<Deployed, Error> {
        if let Some(deployed) = self.deployed_before(asked, &request).await? {
            return Ok(deployed);
        }
        let key = key(asked, "deploy", &request);
        let mut wish = self.wish(request)?;
        let (plain_name, plain_hostname) = (wish.name.clone(), wish.hostname.clone());
        for number in 2..=NUMBERS {
            let deployment = self.deployment(asked, &wish, key.clone());
            match self.site.store.operations().deploy(deployment).await {
                Ok(begun) => return self.deployed(begun).await,
                // The host name can be taken although the name is not: two names may make the same one.
                Err(store::Error::NameTaken { name }) if wish.is_named && name == wish.name => {
                    return Err(Error::NameTaken { name });
                }
                Err(store::Error::NameTaken { .. }) => {
                    if !wish.is_named {
                        wish.name = hostname::numbered(&plain_name, number);
                    }
                    wish.hostname = hostname::numbered(&plain_hostname, number);
                }
                Err(error) => return Err(reused(error)),
            }
        }
        Err(Error::NameTaken { name: plain_name })
    }

    /// What the same request under the same key led to earlier.
    pub(crate) async fn deployed_before(
        &self,
        asked: &Asked,
        request: &Deploy,
    ) -> Result<Option<Deployed>, Error> {
        let Some(key) = key(asked, "deploy", request) else {
            return Ok(None);
        };
        let replayed = self.site.store.operations().replay(&key).await;
        match replayed.map_err(reused)? {
            Some(begun) => Ok(Some(self.deployed(begun).await?)),
            None => Ok(None),
        }
    }

    fn deployment(
        &self,
        asked: &Asked,
        wish: &Wish,
        idempotency: Option<IdempotencyKey>,
    ) -> Deployment {
        let id = self.site.store.new_app_id();
        let nonce = random::hex::<16>();
        let state = wish.state(id, &nonce);
        let answers = serde_json::to_vec(&wish.answers).expect("answers are plain values");
        let Size {
            cores,
            memory,
            swap,
            disk,
        } = wish.size;
        let shown = wish
            .answers
            .values
            .iter()
            .filter(|(_, answer)| !answer.secret);
        Deployment {
            app: NewApp {
                id,
                name: wish.name.clone(),
                hostname: wish.hostname.clone(),
                nonce,
                reserved: Reserved {
                    cores,
                    memory,
                    swap,
                    disk,
                },
                network: wish.network.clone(),
                parameters: shown
                    .map(|(name, answer)| (name.clone(), answer.value.clone()))
                    .collect(),
                sealed: Hidden(self.site.secrets.seal(&project::answers_row(id), &answers)),
                endpoints: Vec::new(),
                owner: asked.who.username.clone(),
            },
            release: project::release(&wish.manifest),
            state: serde_json::to_value(&state).expect("a state is plain values"),
            idempotency,
            audit: asked.audit("app.deploy", &wish.name),
        }
    }

    pub(crate) async fn deployed(&self, begun: store::Begun) -> Result<Deployed, Error> {
        Ok(Deployed {
            app: shown(begun.app),
            operation: self.with_steps(begun.operation).await?,
        })
    }

    /// A page of installed apps, newest first.
    pub async fn apps(&self, cursor: Option<&str>, limit: Option<u32>) -> Result<Page<App>, Error> {
        let request = PageRequest {
            cursor: cursor.map(str::to_owned),
            limit: limit.map(u64::from),
        };
        let page = self
            .site
            .store
            .apps()
            .list(&AppFilter::default(), &request)
            .await?;
        Ok(Page {
            items: page.items.into_iter().map(shown).collect(),
            next: page.next,
        })
    }

    /// The newest apps that something is to be said of.
    pub async fn apps_in_need(&self, limit: u32) -> Result<Vec<App>, Error> {
        let filter = AppFilter {
            attention: true,
            ..AppFilter::default()
        };
        let request = PageRequest::first(limit.into());
        let page = self.site.store.apps().list(&filter, &request).await?;
        Ok(page.items.into_iter().map(shown).collect())
    }

    /// One app, by id, name or host name; by id also when it is deleted.
    pub async fn app(&self, id_or_name: &str) -> Result<App, Error> {
        Ok(shown(self.site.store.apps().find(id_or_name).await?))
    }

    /// Writes an operation on an app down; a worker carries it out.
    pub async fn start_operation(
        &self,
        asked: &Asked,
        app: &str,
        kind: OperationKind,
    ) -> Result<Operation, Error> {
        let key = key(asked, kind.as_str(), &app);
        if let Some(key) = &key
            && let Some(begun) = self
                .site
                .store
                .operations()
                .replay(key)
                .await
                .map_err(reused)?
        {
            return self.with_steps(begun.operation).await;
        }
        let app = self.site.store.apps().find(app).await?;
        let request = NewOperation {
            kind,
            app: app.id,
            state: serde_json::to_value(state_of(&app)).expect("a state is plain values"),
            requested_by: asked.who.username.clone(),
            change: AppChange::none(),
            idempotency: key,
            audit: asked.audit(&format!("app.{kind}"), &app.name),
        };
        if app.state == AppState::Deleted {
            return Err(Error::NotFound { what: "app" });
        }
        match self.site.store.operations().begin(request).await {
            Ok(begun) => self.with_steps(begun.operation).await,
            Err(store::Error::Busy { operation, kind }) => Err(Error::Busy {
                operation,
                kind,
                app: app.name,
            }),
            Err(error) => Err(reused(error)),
        }
    }
}

/// The state of an operation on an app that has a container.
fn state_of(app: &store::App) -> State {
    let Reserved {
        cores,
        memory,
        swap,
        disk,
    } = app.reserved;
    State {
        app: app.id,
        name: app.name.clone(),
        hostname: app.hostname.clone(),
        catalog_id: app.catalog_id.clone(),
        nonce: app.nonce.clone(),
        size: Size {
            cores,
            memory,
            swap,
            disk,
        },
        network: app.network.clone(),
        architectures: Vec::new(),
        wanted_node: None,
        choice: None,
        vmid: app.vmid,
        create_task: None,
        create_asked: false,
        node: app.node.clone(),
        address: app.address,
        was_running: None,
        before: Some(app.state),
    }
}

/// The request under the name that its sender gave it.
pub(crate) fn key(asked: &Asked, action: &str, request: &impl Serialize) -> Option<IdempotencyKey> {
    let key = asked.idempotency_key.clone()?;
    let body = serde_json::to_vec(request).expect("a request is plain values");
    let request_hash = Sha256::new()
        .chain_update(action)
        .chain_update([0])
        .chain_update(body)
        .finalize()
        .to_vec();
    Some(IdempotencyKey {
        principal: asked.who.username.clone(),
        key,
        request_hash,
    })
}

pub(crate) fn reused(error: store::Error) -> Error {
    match error {
        store::Error::KeyReused => Error::IdempotencyMismatch,
        error => error.into(),
    }
}

fn shown(app: store::App) -> App {
    App {
        id: app.id,
        name: app.name,
        hostname: app.hostname,
        catalog_id: app.catalog_id,
        version: app.version,
        state: app.state,
        node: app.node,
        vmid: app.vmid,
        address: app.address,
        endpoints: app.endpoints,
        resources: api::Resources {
            cores: Some(app.reserved.cores),
            memory: Some(app.reserved.memory),
            swap: Some(app.reserved.swap),
            disk: Some(app.reserved.disk),
        },
        parameters: app.parameters.into_iter().collect::<IndexMap<_, _>>(),
        attention: app.attention,
        operation: app.operation,
        created_at: app.created_at,
        updated_at: app.updated_at,
    }
}
