//! Compares two stored versions of a state, however large they are: the first pass tells instances apart by their digests, the second reads
//! those that differ.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use entity::state_version;
use serde_json::Value;

use super::opened_scan::scanned;
use super::state_difference::{InstancePair, OutputPair, Side, difference};
use super::state_scan::{Depth, FoundInstance};
use super::stored_outputs::stored_outputs;
use crate::app::App;
use crate::engine::masking::{Masker, leaves, texts};
use crate::engine::plan_view::PlanView;
use crate::error::{Error, Result};
use crate::secret;
use crate::store;

/// The most instances of a state that is compared.
const MOST_INSTANCES: usize = 200_000;
/// The most instances that are shown, and the most bytes of them.
const MOST_SHOWN: usize = 1000;
const MOST_SHOWN_BYTES: usize = 16 * 1024 * 1024;

/// The difference of two versions of the state of a workspace, without sensitive values.
///
/// # Errors
/// `Conflict` if a state has another format than expected, or too many resources; otherwise when it cannot be opened or read.
pub async fn compare(app: &Arc<App>, before: state_version::Model, after: state_version::Model) -> Result<PlanView> {
    let (old, old_cut) = digests(app, before.clone()).await?;
    let (new, new_cut) = digests(app, after.clone()).await?;
    let addresses: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differ: Vec<String> =
        addresses.into_iter().filter(|address| old.get(*address) != new.get(*address)).cloned().collect();
    let is_more = old_cut || new_cut || differ.len() > MOST_SHOWN;
    let shown: BTreeSet<String> = differ.iter().take(MOST_SHOWN).cloned().collect();
    let mut old_texts = texts_of(app, before.clone(), shown.clone()).await?;
    let mut new_texts = texts_of(app, after.clone(), shown).await?;
    let side = |digests: &Digests, texts: &mut BTreeMap<String, Vec<u8>>, address: &str| {
        if !digests.contains_key(address) {
            return Side::Absent;
        }
        let value = texts.remove(address).and_then(|text| serde_json::from_slice(&text).ok());
        value.map_or(Side::TooLarge, Side::Instance)
    };
    let mut pairs = Vec::new();
    for address in differ.into_iter().take(MOST_SHOWN) {
        let (before, after) = (side(&old, &mut old_texts, &address), side(&new, &mut new_texts, &address));
        pairs.push(InstancePair { address, before, after });
    }
    let masker = masker(app, &after).await?;
    let outputs = outputs(app, before, after).await?;
    let work = tokio::task::spawn_blocking(move || difference(&pairs, &outputs, Some(&masker)));
    let mut view = work.await.map_err(Error::internal)?.map_err(Error::internal)?;
    view.more |= is_more;
    Ok(view)
}

type Digests = BTreeMap<String, [u8; 32]>;

async fn digests(app: &Arc<App>, row: state_version::Model) -> Result<(Digests, bool)> {
    let take = |all: &mut Digests, found: FoundInstance| {
        if all.len() <= MOST_INSTANCES {
            all.insert(found.address, found.digest.unwrap_or_default());
        }
    };
    let (all, is_cut) = scanned(app, row, Depth::Digests, Digests::new(), take).await?;
    if all.len() > MOST_INSTANCES {
        return Err(Error::Conflict(format!(
            "the state has more than {MOST_INSTANCES} resources, the most that are compared; export both versions instead"
        )));
    }
    Ok((all, is_cut))
}

/// The texts of the instances with these addresses, as far as they are not too large.
async fn texts_of(
    app: &Arc<App>,
    row: state_version::Model,
    shown: BTreeSet<String>,
) -> Result<BTreeMap<String, Vec<u8>>> {
    if shown.is_empty() {
        return Ok(BTreeMap::new());
    }
    let take = move |(all, bytes): &mut (BTreeMap<String, Vec<u8>>, usize), found: FoundInstance| {
        let FoundInstance { address, text, .. } = found;
        if let Some(text) = text.filter(|text| shown.contains(&address) && *bytes + text.len() <= MOST_SHOWN_BYTES) {
            *bytes += text.len();
            all.insert(address, text);
        }
    };
    let ((all, _), _) = scanned(app, row, Depth::Texts, (BTreeMap::new(), 0), take).await?;
    Ok(all)
}

/// Hides the sensitive variables of the workspace.
async fn masker(app: &App, row: &state_version::Model) -> Result<Masker> {
    let rows = store::workspace::variables(&app.db, row.organization_id, row.workspace_id).await?;
    let mut secrets = zeroize::Zeroizing::new(Vec::new());
    for row in rows {
        let Some(sealed) = row.sealed.as_ref().filter(|_| row.sensitive) else { continue };
        let opened = app.keys.open(&secret::place("terraform_variable", row.id.0), sealed)?;
        let value = String::from_utf8_lossy(opened.expose()).into_owned();
        secrets.append(&mut leaves(&value));
        secrets.push(value);
    }
    Ok(Masker::new(&texts(secrets.iter().map(String::as_str))))
}

async fn outputs(app: &Arc<App>, before: state_version::Model, after: state_version::Model) -> Result<Vec<OutputPair>> {
    let mut all: BTreeMap<String, OutputPair> = BTreeMap::new();
    for (row, is_before) in [(before, true), (after, false)] {
        for output in stored_outputs(app, row).await? {
            let value: Value = serde_json::from_str(output.value.get()).unwrap_or_default();
            let empty = OutputPair { name: output.name.clone(), before: None, after: None };
            let pair = all.entry(output.name).or_insert(empty);
            let side = Some((value, output.sensitive));
            if is_before { pair.before = side } else { pair.after = side }
        }
    }
    Ok(all.into_values().collect())
}
