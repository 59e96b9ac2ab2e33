//! The image in its standard form: an OCI layout, and an archive of it that older engines load by its `manifest.json`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::content::{HOME, NAME, USER};
use crate::command::{Result, read};

/// The name of this machine's processor in images.
fn processor() -> &'static str {
    if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" }
}

/// A part of the layout: its type, digest and size.
struct Blob {
    kind: &'static str,
    digest: String,
    bytes: u64,
}

impl Blob {
    /// Moves a file to where its digest says.
    fn new(layout: &Path, kind: &'static str, file: &Path) -> Result<Self> {
        let sum = read(Command::new("sha256sum").arg(file))?;
        let digest = sum.split(' ').next().unwrap_or_default().to_owned();
        let bytes = fs::metadata(file).map_err(|e| e.to_string())?.len();
        fs::rename(file, layout.join("blobs/sha256").join(&digest)).map_err(|e| e.to_string())?;
        Ok(Self { kind, digest, bytes })
    }

    fn text(layout: &Path, kind: &'static str, text: &str) -> Result<Self> {
        let file = layout.join("part");
        fs::write(&file, text).map_err(|e| e.to_string())?;
        Self::new(layout, kind, &file)
    }

    fn described(&self) -> String {
        let Self { kind, digest, bytes } = self;
        format!(r#""mediaType": "application/vnd.oci.image.{kind}", "digest": "sha256:{digest}", "size": {bytes}"#)
    }
}

/// Writes the layout and the archive.
pub(super) fn write(folder: &Path, layer: &Path) -> Result<PathBuf> {
    let layout = folder.join("layout");
    fs::create_dir_all(layout.join("blobs/sha256")).map_err(|e| e.to_string())?;
    let layer = Blob::new(&layout, "layer.v1.tar", layer)?;
    let config = Blob::text(&layout, "config.v1+json", &config(&layer))?;
    let manifest = format!(
        r#"{{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": {{{}}}, "layers": [{{{}}}]}}"#,
        config.described(),
        layer.described()
    );
    let manifest = Blob::text(&layout, "manifest.v1+json", &manifest)?;
    let version = env!("CARGO_PKG_VERSION");
    let index = format!(
        r#"{{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [{{{},
          "platform": {{"architecture": "{}", "os": "linux"}},
          "annotations": {{"org.opencontainers.image.ref.name": "{version}", "io.containerd.image.name": "docker.io/library/{NAME}"}}}}]}}"#,
        manifest.described(),
        processor()
    );
    // What `docker load` has read since before there was the standard.
    let older = format!(
        r#"[{{"Config": "blobs/sha256/{}", "RepoTags": ["{NAME}"], "Layers": ["blobs/sha256/{}"]}}]"#,
        config.digest, layer.digest
    );
    let files =
        [("oci-layout", r#"{"imageLayoutVersion": "1.0.0"}"#), ("index.json", &index), ("manifest.json", &older)];
    for (name, text) in files {
        fs::write(layout.join(name), text).map_err(|e| format!("{name}: {e}"))?;
    }
    // Its name says for which processor it is.
    let archive = folder.join(format!("windlass-{version}-{}.tar", processor()));
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(&layout).args(["--create", "--sort=name", "--mtime=@0", "--owner=0", "--group=0"]);
    read(tar.arg("--numeric-owner").arg("--file").arg(&archive).args([
        "oci-layout",
        "index.json",
        "manifest.json",
        "blobs",
    ]))?;
    Ok(archive)
}

/// What the engine does with the image. The health check is Docker's own field.
fn config(layer: &Blob) -> String {
    format!(
        r#"{{"architecture": "{}", "os": "linux", "config": {{
          "User": "{USER}", "WorkingDir": "/{HOME}", "Entrypoint": ["/usr/bin/windlass"], "Cmd": ["serve"],
          "Env": ["PATH=/usr/bin", "WINDLASS_LISTEN=0.0.0.0:8080", "WINDLASS_DATA_DIR=/{HOME}/data"],
          "ExposedPorts": {{"8080/tcp": {{}}}}, "Volumes": {{"/{HOME}": {{}}}},
          "Healthcheck": {{"Test": ["CMD", "/usr/bin/windlass", "healthcheck"],
            "Interval": 10000000000, "Timeout": 3000000000, "StartPeriod": 5000000000}},
          "Labels": {{"org.opencontainers.image.title": "windlass", "org.opencontainers.image.version": "{}",
            "org.opencontainers.image.licenses": "Apache-2.0"}}}},
          "rootfs": {{"type": "layers", "diff_ids": ["sha256:{}"]}}, "history": [{{"created_by": "cargo xtask image"}}]}}"#,
        processor(),
        env!("CARGO_PKG_VERSION"),
        layer.digest
    )
}
