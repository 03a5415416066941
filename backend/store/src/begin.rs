//! How operations begin: everything that a request means is written in one transaction, or nothing of it.

use api::{AppId, AppState, EventKind, OperationId, OperationKind, OperationStatus, ReleaseId};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, TryInsertResult,
    sea_query::OnConflict,
};
use serde_json::{Value, json};

use crate::{
    App, AppChange, AuditRecord, Error, IdempotencyKey, NewApp, NewRelease, Operation, Operations,
    Replay, Result,
    entity::{app, operation},
    event::NewEvent,
    text,
    write::Write,
};

/// A new app with all that its deployment needs.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The app.
    pub app: NewApp,
    /// Its first release.
    pub release: NewRelease,
    /// The state that the operation is asked with.
    pub state: Value,
    /// How a repeated request is recognised.
    pub idempotency: Option<IdempotencyKey>,
    /// What the audit log says.
    pub audit: AuditRecord,
}

/// An operation on an app that is there.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// What it does.
    pub kind: OperationKind,
    /// The app.
    pub app: AppId,
    /// The state that it is asked with.
    pub state: Value,
    /// Who asks.
    pub requested_by: String,
    /// What changes of the app at once, e.g. that it is being deleted.
    pub change: AppChange,
    /// How a repeated request is recognised.
    pub idempotency: Option<IdempotencyKey>,
    /// What the audit log says.
    pub audit: AuditRecord,
}

/// What a request led to.
#[derive(Clone, Debug, PartialEq)]
pub struct Begun {
    /// The app as it stands now.
    pub app: App,
    /// The operation as it stands now.
    pub operation: Operation,
    /// Whether an earlier request with the same idempotency key led to this, and this one to nothing.
    pub replayed: bool,
}

/// How often a name or an app is tried that was taken and is free again when one looks by whom.
const ATTEMPTS: u32 = 5;

impl Operations<'_> {
    /// Writes a new app, its release, the operation that deploys it, its event, the idempotency key and the audit
    /// record. [`Error::NameTaken`] when an app that is not deleted has the name or the host name.
    pub async fn deploy(&self, deployment: Deployment) -> Result<Begun> {
        let (app, operation) = (deployment.app.id, self.0.new_operation_id());
        let mut write = self.0.write().await?;
        if let Some(key) = &deployment.idempotency
            && let Some(replay) = write.claim_key(key, app, operation).await?
        {
            drop(write);
            return self.begun(replay.app, replay.operation, true).await;
        }
        let release = self.0.new_release_id();
        write.insert_app(release, &deployment).await?;
        let catalog_id = deployment.release.catalog_id.clone();
        write
            .insert_release(release, app, 1, deployment.release)
            .await?;
        let row = Row {
            id: operation,
            kind: OperationKind::Deploy,
            app,
            app_name: deployment.app.name,
            catalog_id,
            state: deployment.state,
            requested_by: deployment.app.owner,
        };
        if !write.insert_operation(&row).await? {
            return Err(Error::Conflict("an app of this id exists".to_owned()));
        }
        write.queued(&row, &deployment.audit).await?;
        write.commit().await?;
        self.begun(app, operation, false).await
    }

    /// Writes an operation on an app that is there, its event, the idempotency key and the audit record, and changes the app.
    /// [`Error::Busy`] when another operation lives on the app, [`Error::NotFound`] when it is deleted.
    pub async fn begin(&self, request: NewOperation) -> Result<Begun> {
        for _ in 0..ATTEMPTS {
            if let Some(begun) = self.try_begin(&request).await? {
                return Ok(begun);
            }
            if let Some(other) = self.live_of(request.app).await? {
                return Err(Error::Busy {
                    operation: other.id,
                    kind: other.kind,
                });
            }
        }
        Err(Error::Conflict(
            "other operations keep working on this app; try again".to_owned(),
        ))
    }

    /// `None` when another operation lives on the app.
    async fn try_begin(&self, request: &NewOperation) -> Result<Option<Begun>> {
        let (app, operation) = (request.app, self.0.new_operation_id());
        let named = self.0.apps().get(app).await?;
        let mut write = self.0.write().await?;
        if let Some(key) = &request.idempotency
            && let Some(replay) = write.claim_key(key, app, operation).await?
        {
            drop(write);
            return self
                .begun(replay.app, replay.operation, true)
                .await
                .map(Some);
        }
        let row = Row {
            id: operation,
            kind: request.kind,
            app,
            app_name: named.name,
            catalog_id: named.catalog_id,
            state: request.state.clone(),
            requested_by: request.requested_by.clone(),
        };
        if !write.insert_operation(&row).await? {
            return Ok(None);
        }
        // After the insert, which has waited for an operation that just ended: it may have deleted the app.
        write.change_app(app, request.change.clone()).await?;
        write.queued(&row, &request.audit).await?;
        write.commit().await?;
        self.begun(app, operation, false).await.map(Some)
    }

    /// What an idempotency key led to within the last 24 hours; [`Error::KeyReused`] when that was another request.
    /// Asked before a request is looked at closely: what it names may be gone since.
    pub async fn replay(&self, key: &IdempotencyKey) -> Result<Option<Begun>> {
        match self.0.find_key(key).await? {
            Some(Replay { app, operation }) => self.begun(app, operation, true).await.map(Some),
            None => Ok(None),
        }
    }

    pub(crate) async fn begun(
        &self,
        app: AppId,
        operation: OperationId,
        replayed: bool,
    ) -> Result<Begun> {
        let app = self.0.apps().get(app).await?;
        Ok(Begun {
            app,
            operation: self.get(operation).await?,
            replayed,
        })
    }
}

/// An operation to be.
pub(crate) struct Row {
    pub(crate) id: OperationId,
    pub(crate) kind: OperationKind,
    pub(crate) app: AppId,
    pub(crate) app_name: String,
    pub(crate) catalog_id: String,
    pub(crate) state: Value,
    pub(crate) requested_by: String,
}

impl Write<'_> {
    /// The row of a new app.
    pub(crate) fn app_row(&self, release: ReleaseId, deployment: &Deployment) -> app::ActiveModel {
        let Deployment {
            app: new,
            release:
                NewRelease {
                    catalog_id,
                    version,
                    ..
                },
            ..
        } = deployment;
        app::ActiveModel {
            id: Set(new.id.to_string()),
            name: Set(new.name.clone()),
            live_name: Set(Some(new.name.clone())),
            hostname: Set(new.hostname.clone()),
            live_hostname: Set(Some(new.hostname.clone())),
            catalog_id: Set(catalog_id.clone()),
            version: Set(version.clone()),
            release_id: Set(release.to_string()),
            state: Set(AppState::Deploying.as_str().to_owned()),
            attention: NotSet,
            attention_by: NotSet,
            node: NotSet,
            vmid: NotSet,
            live_vmid: NotSet,
            address: NotSet,
            nonce: Set(new.nonce.clone()),
            storage: NotSet,
            cores: Set(text::small(new.reserved.cores)),
            memory: Set(text::bytes(new.reserved.memory)),
            swap: Set(text::bytes(new.reserved.swap)),
            disk: Set(text::bytes(new.reserved.disk)),
            network: Set(text::json(&new.network)),
            parameters: Set(text::json(&new.parameters)),
            sealed: Set(new.sealed.0.clone()),
            endpoints: Set(text::json(&new.endpoints)),
            owner: Set(new.owner.clone()),
            created_at: Set(self.now),
            updated_at: Set(self.now),
            deleted_at: NotSet,
        }
    }

    pub(crate) async fn insert_app(
        &self,
        release: ReleaseId,
        deployment: &Deployment,
    ) -> Result<()> {
        let new = &deployment.app;
        if inserted(
            &app::Entity::insert(self.app_row(release, deployment))
                .on_conflict(nothing())
                .try_insert()
                .exec_without_returning(&self.tx)
                .await?,
        ) {
            return Ok(());
        }
        let taken = app::Entity::find()
            .filter(app::Column::LiveName.eq(&new.name))
            .one(&self.tx)
            .await?;
        let name = if taken.is_some() {
            &new.name
        } else {
            &new.hostname
        };
        Err(Error::NameTaken { name: name.clone() })
    }

    /// Whether the app was free.
    pub(crate) async fn insert_operation(&self, new: &Row) -> Result<bool> {
        let row = operation::ActiveModel {
            id: Set(new.id.to_string()),
            kind: Set(new.kind.as_str().to_owned()),
            status: Set(OperationStatus::Queued.as_str().to_owned()),
            app_id: Set(new.app.to_string()),
            live_app_id: Set(Some(new.app.to_string())),
            app_name: Set(new.app_name.clone()),
            catalog_id: Set(new.catalog_id.clone()),
            state: Set(text::json(&new.state)),
            unwinding: Set(false),
            cancellable: Set(true),
            cancel_requested: Set(false),
            generation: Set(0),
            attempts: Set(0),
            requested_by: Set(new.requested_by.clone()),
            created_at: Set(self.now),
            ..Default::default()
        };
        let insert = operation::Entity::insert(row)
            .on_conflict(nothing())
            .try_insert();
        Ok(inserted(&insert.exec_without_returning(&self.tx).await?))
    }

    /// The end of a transaction that begins an operation.
    pub(crate) async fn queued(&mut self, row: &Row, audit: &AuditRecord) -> Result<()> {
        self.audit(audit).await?;
        let data = json!({ "kind": row.kind, "requested_by": row.requested_by });
        let event = NewEvent::new(row.id, row.app, EventKind::OperationQueued, data, self.now);
        self.wake_workers();
        self.events(vec![event]).await
    }
}

/// A row that a unique index refuses is left out, and the transaction goes on: PostgreSQL would end it at an error.
pub(crate) fn nothing() -> OnConflict {
    OnConflict::new().do_nothing().to_owned()
}

pub(crate) fn inserted(result: &TryInsertResult<u64>) -> bool {
    matches!(result, TryInsertResult::Inserted(1))
}
