//! Checks that the key file belongs to the database: some stored value must open with it.

use crate::app::App;
use crate::error::Result;
use crate::secret;
use crate::store;

/// Opens a few sealed values of the database, and records whether the keys of this server fit. One value that does not open, for
/// example because it was damaged, is not enough.
///
/// # Errors
/// Database errors.
pub async fn run_once(app: &App) -> Result<()> {
    let samples = store::sealed_samples(&app.db).await?;
    let opens =
        |(table, id, sealed): &(&str, uuid::Uuid, Vec<u8>)| app.keys.open(&secret::place(table, *id), sealed).is_ok();
    let fits = samples.is_empty() || samples.iter().any(opens);
    if app.pulse.key_fits() && !fits {
        tracing::error!("the key file does not fit the database: none of its secrets can be decrypted");
    }
    app.pulse.set_key_fits(fits);
    Ok(())
}
