//! Pages of the resources of stored states.

use std::sync::Arc;

use entity::{state_listing, state_version};

use super::listed_resources::{ListedResource, MOST, PART, place};
use super::opened_scan::scanned;
use super::state_scan::{Depth, FoundInstance};
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret::KeyRing;
use crate::store;

/// A page of the resources of a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourcePage {
    pub resources: Vec<ListedResource>,
    /// How many there are in all.
    pub total: i32,
    /// Whether the state has more than are listed.
    pub is_cut: bool,
}

/// A page of the resources of a state. The state itself is read only if it was stored by an earlier release.
///
/// # Errors
/// When the list or the state cannot be opened or read.
pub async fn resources(app: &Arc<App>, row: state_version::Model, (offset, limit): (u64, u64)) -> Result<ResourcePage> {
    let (offset, limit) = (usize::try_from(offset).unwrap_or(usize::MAX), usize::try_from(limit).unwrap_or(usize::MAX));
    let Some(total) = row.resources else { return read_again(app, row, offset, limit).await };
    let (first, last) = (offset / PART, offset.saturating_add(limit.max(1) - 1) / PART);
    let number = |part: usize| i32::try_from(part).unwrap_or(i32::MAX);
    let parts = store::workspace::listing_parts(&app.db, row.id, (number(first), number(last))).await?;
    let keys = app.keys.clone();
    let opened = tokio::task::spawn_blocking(move || opened(&keys, parts)).await.map_err(Error::internal)??;
    let resources = opened.into_iter().skip(offset - first * PART).take(limit).collect();
    Ok(ResourcePage { resources, total, is_cut: total >= MOST })
}

fn opened(keys: &KeyRing, parts: Vec<state_listing::Model>) -> Result<Vec<ListedResource>> {
    let mut all = Vec::new();
    for part in parts {
        let text = keys.open(&place(part.state_version_id, part.number), &part.sealed)?;
        all.extend(serde_json::from_slice::<Vec<ListedResource>>(text.expose()).map_err(Error::internal)?);
    }
    Ok(all)
}

async fn read_again(app: &Arc<App>, row: state_version::Model, offset: usize, limit: usize) -> Result<ResourcePage> {
    let take = move |page: &mut ResourcePage, found: FoundInstance| {
        let place = usize::try_from(page.total).unwrap_or_default();
        if page.total >= MOST {
            page.is_cut = true;
            return;
        }
        page.total += 1;
        if place >= offset && page.resources.len() < limit {
            page.resources.push(found.into());
        }
    };
    let (page, is_cut) = scanned(app, row, Depth::Names, ResourcePage::default(), take).await?;
    Ok(ResourcePage { is_cut: page.is_cut || is_cut, ..page })
}
