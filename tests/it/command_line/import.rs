//! `windlass import`: what comes over beside schedules and commands.

use std::path::Path;

use super::{Client, demo};

/// Writes a file, and returns its path.
fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_users_of_a_crontab_come_over() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let client = Client { server: &server, home: &folder.path().join("client") };
    let file = write(folder.path(), "crontab", "MAILTO=\n5 5 * * * nobody id -un\n6 5 * * * nobody true\n");
    let import = ["import", "crontab", &file, "--system", "--dialect", "vixie", "--time-zone", "Etc/UTC"];
    let told = client.prints(&[&import[..], &["--apply", "--env", "demo"]].concat(), 0);
    assert_eq!(told.matches("it runs as nobody (process.user)").count(), 1, "{told}");
    assert!(told.contains("process.working_folder"), "{told}");
    let exported = client.prints(&["export", "demo/demo"], 0);
    assert_eq!(exported.matches("process.user: nobody\n").count(), 2, "{exported}");
    assert!(exported.contains("LOGNAME: nobody\n"), "{exported}");
    let written = client.prints(&[&import[..], &["--as-file", "--env", "shop/production"]].concat(), 0);
    assert_eq!(written.matches("process.user: nobody\n").count(), 2, "{written}");
}

const MANIFEST: &str = "kind: CronJob\nmetadata: {name: NAME}\nspec: {schedule: '@hourly', timeZone: Etc/UTC, jobTemplate: \
                        {spec: {template: {spec: {containers: [{image: 'IMAGE', workingDir: /srv, resources: \
                        {limits: {cpu: 250m, memory: 1Gi}}}]}}}}}\n";

#[tokio::test]
async fn images_with_a_digest_or_without_a_tag_come_over() {
    let folder = tempfile::tempdir().unwrap();
    let server = demo(folder.path());
    let client = Client { server: &server, home: &folder.path().join("client") };
    let digest = format!("acme/report@sha256:{}", "0a".repeat(32));
    let jobs = [("pinned", digest.as_str()), ("both", "acme/both:2"), ("plain", "busybox")];
    let documents = jobs.map(|(name, image)| MANIFEST.replace("NAME", name).replace("IMAGE", image));
    let file = write(folder.path(), "jobs.yaml", &documents.join("---\n"));
    let told = client.prints(&["import", "kubernetes", &file, "--apply", "--env", "demo"], 0);
    assert_eq!(told.matches("\tcreated\t").count(), 3, "{told}");
    assert!(told.contains("its image has no tag") && told.contains("left out: workingDir"), "{told}");
    let exported = client.prints(&["export", "demo/demo"], 0);
    for image in [digest.as_str(), "acme/both:2", "busybox:latest"] {
        // A long text has a line of its own.
        let unfolded = exported.replace(">-\n      ", "");
        assert!(unfolded.contains(&format!("image: {image}\n")), "{image}: {exported}");
    }
    assert_eq!(exported.matches("    cpu: 250\n    memory: 1024\n").count(), 3, "{exported}");

    let written = client.prints(&["import", "kubernetes", &file, "--as-file", "--env", "shop/production"], 0);
    let copy = write(folder.path(), "shop.yaml", &written);
    assert!(client.prints(&["apply", "-f", &copy], 0).contains("create\tjob plain"));
    assert_eq!(client.prints(&["diff", "-f", &copy], 0), "shop/production is as declared\n");
}
