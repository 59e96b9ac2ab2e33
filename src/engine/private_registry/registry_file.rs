//! Files of the private registry: stored in sealed pieces, and read piece by piece.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use entity::id::{ModuleVersionId, OrganizationId, ProviderPlatformId, RegistryFileId};
use entity::{registry_file, registry_piece};
use futures_util::{Stream, stream};
use sea_orm::{ColumnTrait as _, Condition, ConnectionTrait};

use crate::app::App;
use crate::error::{Error, Result};
use crate::secret;
use crate::store;

/// The size of a piece, in bytes.
const PIECE_BYTES: usize = 1024 * 1024;
/// How many archives of modules may have to make room for another one.
const MOST_REMOVED: u64 = 500;

const MIB: u64 = 1024 * 1024;

/// The size limit of a file, in bytes.
pub(super) fn most_bytes(app: &App) -> u64 {
    u64::from(app.config.registry_file_mib) * MIB
}

/// Why a file is too large.
pub(super) fn too_large(app: &App) -> String {
    format!("must not be larger than {} MiB (--registry-file-mib)", app.config.registry_file_mib)
}

/// The place for which a piece is sealed.
fn place_of(id: RegistryFileId, number: i32) -> String {
    format!("{}/{number}", secret::place("registry_piece", id.0))
}

/// Who a file belongs to.
#[derive(Clone, Copy)]
pub(super) enum Owner {
    Module(ModuleVersionId),
    Provider(ProviderPlatformId),
}

/// A file whose pieces are stored, and which has no owner yet. Without one, it is deleted after a day.
pub(super) struct StoredFile {
    id: RegistryFileId,
    organization: OrganizationId,
    bytes: i64,
    pieces: i32,
}

/// Stores the pieces of a file.
pub(super) async fn store_file(app: &App, organization: OrganizationId, file: File) -> Result<StoredFile> {
    let bytes = file.metadata().map_err(Error::internal)?.len();
    let id = RegistryFileId::create();
    let row = registry_file::Model {
        id,
        organization_id: organization,
        module_version_id: None,
        provider_platform_id: None,
        created_at: app.clock.now(),
        bytes: 0,
        pieces: 0,
        complete: false,
    };
    let row = &row;
    store::write(&app.db, async |tx| store::row::create(tx, row.clone()).await.map_err(Error::from)).await?;
    let file = Arc::new(file);
    let (mut read, mut number) = (0_u64, 0_i32);
    while read < bytes {
        let size = usize::try_from((bytes - read).min(PIECE_BYTES as u64)).map_err(Error::internal)?;
        let (keys, file, from) = (app.keys.clone(), Arc::clone(&file), read);
        let sealed = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; size];
            file.read_exact_at(&mut piece, from).map_err(Error::internal)?;
            keys.seal(&place_of(id, number), &piece)
        });
        let sealed = sealed.await.map_err(Error::internal)??;
        let row = &registry_piece::Model { file_id: id, number, sealed };
        store::write(&app.db, async |tx| store::row::create(tx, row.clone()).await.map_err(Error::from)).await?;
        read += size as u64;
        number += 1;
    }
    Ok(StoredFile { id, organization, bytes: i64::try_from(bytes).map_err(Error::internal)?, pieces: number })
}

impl StoredFile {
    /// Gives the file to its owner, if the organization has room for it. Archives of modules, which can be made again, make room.
    pub(super) async fn give(&self, app: &App, tx: &impl ConnectionTrait, owner: Owner) -> Result<()> {
        let most = i64::try_from(u64::from(app.config.registry_organization_mib) * MIB).map_err(Error::internal)?;
        let mut used = store::private_registry::bytes_of_organization(tx, self.organization).await?;
        let mut removed = Vec::new();
        if used + self.bytes > most {
            for (id, bytes) in store::private_registry::archives_by_age(tx, self.organization, MOST_REMOVED).await? {
                if used + self.bytes <= most {
                    break;
                }
                used -= bytes;
                removed.push(id);
            }
        }
        if used + self.bytes > most {
            return Err(Error::Conflict(format!(
                "the files of the organization would need more than {} MiB (--registry-organization-mib); delete versions of providers \
                 that nobody needs",
                app.config.registry_organization_mib
            )));
        }
        if !removed.is_empty() {
            let these = Condition::all().add(registry_file::Column::Id.is_in(removed));
            store::private_registry::release_files(tx, these).await?;
        }
        let owner = match owner {
            Owner::Module(id) => (Some(id), None),
            Owner::Provider(id) => (None, Some(id)),
        };
        let given = store::private_registry::attach(tx, self.id, (self.bytes, self.pieces), owner).await?;
        if given { Ok(()) } else { Err(Error::internal("a file of the registry was deleted while it was stored")) }
    }
}

/// The contents of a file, in pieces.
pub fn contents(
    app: Arc<App>,
    file: registry_file::Model,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    stream::try_unfold((app, 0_i32), move |(app, number)| {
        let (id, pieces) = (file.id, file.pieces);
        async move {
            if number >= pieces {
                return Ok(None);
            }
            let piece = piece(&app, id, number).await.map_err(|error| std::io::Error::other(error.public()))?;
            Ok::<_, std::io::Error>(Some((piece, (app, number + 1))))
        }
    })
}

async fn piece(app: &App, id: RegistryFileId, number: i32) -> Result<Bytes> {
    let row = store::row::by_id::<registry_piece::Model>(&app.db, (id, number)).await?;
    let row = row.ok_or(Error::NotFound("file"))?;
    let keys = app.keys.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let opened = keys.open(&place_of(id, number), &row.sealed)?;
        Ok::<_, Error>(Bytes::copy_from_slice(opened.expose()))
    });
    opened.await.map_err(Error::internal)?
}
