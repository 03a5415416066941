//! How long steps took in earlier operations: what an expectation is made of.

use std::collections::BTreeMap;

use api::{EventKind, OperationKind, OperationStatus};
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _,
};

use crate::{
    Events, Result,
    entity::{event, operation},
};

impl Events<'_> {
    /// Seconds that each step took in the last `runs` completed operations of a kind, newest first; only those on
    /// apps of one catalog entry, where it is named.
    pub async fn step_seconds(
        &self,
        kind: OperationKind,
        catalog_id: Option<&str>,
        runs: u64,
    ) -> Result<BTreeMap<String, Vec<f64>>> {
        let operations: Vec<String> = operation::Entity::find()
            .select_only()
            .column(operation::Column::Id)
            .filter(operation::Column::Kind.eq(kind.as_str()))
            .filter(operation::Column::Status.eq(OperationStatus::Completed.as_str()))
            .apply_if(catalog_id, |rows, id| {
                rows.filter(operation::Column::CatalogId.eq(id))
            })
            .order_by_desc(operation::Column::Id)
            .limit(runs)
            .into_tuple()
            .all(&self.0.inner.connection)
            .await?;
        let told = [EventKind::StepStarted, EventKind::StepFinished];
        let rows: Vec<(String, String, Option<String>, DateTime<Utc>)> = event::Entity::find()
            .select_only()
            .column(event::Column::OperationId)
            .column(event::Column::Kind)
            .column(event::Column::Step)
            .column(event::Column::Time)
            .filter(event::Column::OperationId.is_in(operations))
            .filter(event::Column::Kind.is_in(told.map(EventKind::as_str)))
            .order_by_asc(event::Column::Id)
            .into_tuple()
            .all(&self.0.inner.connection)
            .await?;
        Ok(seconds(rows))
    }
}

/// A step that was begun twice, because its process died, is counted from its last beginning.
fn seconds(
    rows: Vec<(String, String, Option<String>, DateTime<Utc>)>,
) -> BTreeMap<String, Vec<f64>> {
    let mut begun: BTreeMap<(String, String), DateTime<Utc>> = BTreeMap::new();
    let mut seconds: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (operation, kind, step, time) in rows {
        let Some(step) = step else {
            continue;
        };
        if kind == EventKind::StepStarted.as_str() {
            begun.insert((operation, step), time);
        } else if let Some(start) = begun.remove(&(operation, step.clone())) {
            let took = (time - start).as_seconds_f64().max(0.0);
            seconds.entry(step).or_default().push(took);
        }
    }
    seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_counted_from_its_last_beginning() {
        let row = |kind: EventKind, second| {
            let time = DateTime::from_timestamp(second, 0).unwrap();
            (
                "op".to_owned(),
                kind.as_str().to_owned(),
                Some("pull_images".to_owned()),
                time,
            )
        };
        let rows = vec![
            row(EventKind::StepStarted, 10),
            row(EventKind::StepStarted, 100),
            row(EventKind::StepFinished, 130),
        ];
        assert_eq!(seconds(rows)["pull_images"], [30.0]);
    }
}
