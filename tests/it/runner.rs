//! One suite that every runner has to pass, and tests for what is special about one of them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use windlass::clock::Clock;
use windlass::liveness::wake::Wake;
use windlass::runner::docker::DockerRunner;
use windlass::runner::process::ProcessRunner;
use windlass::runner::{Credentials, Image, Line, ProcessOptions, Runner, StepFile, StepSpec, StepState};
use windlass::secret::Secret;

/// The image that the Docker tests run, or none if they are skipped.
pub(crate) fn docker_image() -> Option<String> {
    needed("WINDLASS_TEST_DOCKER")
}

/// The environment variable that names something a test needs; without it the test is skipped, or fails in strict mode.
pub(crate) fn needed(variable: &str) -> Option<String> {
    found(std::env::var(variable).map_err(|_| format!("{variable} is not set")))
}

/// Something that a test needs; what is missing is named.
pub(crate) fn found<T>(needed: Result<T, String>) -> Option<T> {
    match needed {
        Ok(found) => Some(found),
        Err(missing) => {
            assert!(std::env::var("WINDLASS_TEST_STRICT").is_err(), "{missing}, and no test may be skipped");
            eprintln!("SKIPPED: {missing}");
            None
        }
    }
}

fn docker() -> DockerRunner {
    DockerRunner::new(None, Clock::system(), Wake::default())
}

pub(crate) fn process(folder: &Path) -> ProcessRunner {
    let supervisor = Some(env!("CARGO_BIN_EXE_windlass").into());
    ProcessRunner::new(folder.to_owned(), supervisor, Clock::system(), Wake::default())
}

pub(crate) fn step(image: &str, script: &str) -> StepSpec {
    StepSpec {
        name: format!("windlass-test-{}", uuid::Uuid::now_v7()),
        image: Some(Image { reference: image.to_owned(), credentials: None, local: false }),
        entrypoint: Some("/bin/sh".into()),
        arguments: vec!["-c".into(), script.into()],
        files: Vec::new(),
        environment: vec![("GREETING".into(), Secret::new("hello world".into()))],
        cpu_milli: 500,
        memory_mib: 64,
        labels: vec![("windlass.test".into(), "yes".into())],
        read_only_root: false,
        permit: None,
        build: None,
        source: None,
        interrupt: false,
        process: ProcessOptions::default(),
        pod: None,
        tool: None,
    }
}

pub(crate) async fn ended(runner: &dyn Runner, name: &str) -> StepState {
    for _ in 0..600 {
        match runner.poll(name).await.unwrap() {
            StepState::Starting { .. } | StepState::Running => tokio::time::sleep(Duration::from_millis(50)).await,
            StepState::Unknown | StepState::Lost => panic!("{name} is not known"),
            ended => return ended,
        }
    }
    panic!("{name} did not end");
}

pub(crate) async fn running(runner: &dyn Runner, name: &str) {
    for _ in 0..600 {
        match runner.poll(name).await.unwrap() {
            // A short step may have ended before it is seen running.
            StepState::Running | StepState::Exited { .. } => return,
            StepState::Starting { .. } => tokio::time::sleep(Duration::from_millis(20)).await,
            other => panic!("{name} is {other:?}"),
        }
    }
}

/// Some lines, with retries while a busy engine does not return them, as the server does.
pub(crate) async fn portion(runner: &dyn Runner, name: &str, skip: u64, limit: usize) -> windlass::runner::Lines {
    for _ in 0..20 {
        if let Ok(lines) = runner.logs(name, skip, limit).await {
            return lines;
        }
    }
    panic!("the log of {name} cannot be read");
}

/// All lines after `skip`, in portions.
pub(crate) async fn read(runner: &dyn Runner, name: &str, skip: u64, size: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for _ in 0..10_000 {
        let chunk = portion(runner, name, skip + lines.len() as u64, size).await;
        lines.extend(chunk.lines);
        if chunk.end {
            return lines;
        }
    }
    panic!("the log of {name} does not end");
}

pub(crate) fn texts(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

pub(crate) async fn run(runner: &dyn Runner, spec: &StepSpec) -> (StepState, Vec<Line>) {
    runner.start(spec).await.unwrap();
    let progress = ended(runner, &spec.name).await;
    let lines = read(runner, &spec.name, 0, 500).await;
    runner.remove(&spec.name).await.unwrap();
    (progress, lines)
}

pub(crate) fn exit(exit_code: i32) -> StepState {
    StepState::Exited { exit_code, reason: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_conform() {
    let folder = tempfile::tempdir().unwrap();
    crate::conformance::conforms(&process(folder.path()), "").await;
    let all = std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
    // Folders that are hidden are used again.
    let left: Vec<_> = all.filter(|name| !name.starts_with('.')).collect();
    assert!(left.is_empty(), "scratch folders are left: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_conform() {
    let Some(image) = docker_image() else { return };
    crate::conformance::conforms(&docker(), &image).await;
}

/// The whole process group ends, not only its first process.
#[tokio::test(flavor = "multi_thread")]
async fn processes_end_with_their_group() {
    let folder = tempfile::tempdir().unwrap();
    let runner = process(folder.path());
    let spec = step("", "sleep 300 & echo $!; exit 0");
    runner.start(&spec).await.unwrap();
    assert_eq!(ended(&runner, &spec.name).await, exit(0));
    let child = read(&runner, &spec.name, 0, 1).await.remove(0).text;
    for _ in 0..50 {
        let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        if state.is_empty() || state.contains(") Z ") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the child {child} lives on");
}

/// After a crash the step is lost and never started again, and its processes are killed.
#[tokio::test(flavor = "multi_thread")]
async fn processes_of_a_dead_server_are_ended() {
    let folder = tempfile::tempdir().unwrap();
    let spec = step("", "sleep 300");
    let before = process(folder.path());
    before.start(&spec).await.unwrap();
    running(&before, &spec.name).await;
    let after = process(folder.path());
    assert_eq!(after.poll(&spec.name).await.unwrap(), StepState::Lost);
    assert!(
        matches!(ended(&before, &spec.name).await, StepState::Exited { exit_code: 137, .. }),
        "the process lives on"
    );
    after.remove(&spec.name).await.unwrap();
    assert_eq!(after.poll(&spec.name).await.unwrap(), StepState::Unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_are_found_by_another_server() {
    let Some(image) = docker_image() else { return };
    let spec = step(&image, "i=0; while [ $i -lt 30 ]; do echo $i; i=$((i+1)); sleep 0.05; done; exit 9");
    let before = docker();
    before.start(&spec).await.unwrap();
    running(&before, &spec.name).await;
    let first = before.logs(&spec.name, 0, 3).await.unwrap().lines;
    drop(before);
    let after = docker();
    after.start(&spec).await.unwrap();
    assert_eq!(ended(&after, &spec.name).await, exit(9));
    let mut lines = first.clone();
    lines.extend(read(&after, &spec.name, first.len() as u64, 4).await);
    assert_eq!(texts(&lines), (0..30).map(|number| number.to_string()).collect::<Vec<_>>());
    after.remove(&spec.name).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_are_confined() {
    let Some(image) = docker_image() else { return };
    let runner = docker();
    let script = "grep NoNewPrivs /proc/self/status; ls -d /var/run/docker.sock 2>&1 | wc -l; \
         (cat /sys/fs/cgroup/memory.max || cat /sys/fs/cgroup/memory/memory.limit_in_bytes) 2>/dev/null; \
         (cat /sys/fs/cgroup/cpu.max || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us) 2>/dev/null";
    let (_, lines) = run(&runner, &step(&image, script)).await;
    let lines = texts(&lines);
    assert_eq!(lines[0], "NoNewPrivs:\t1");
    assert_eq!(lines[2], (64 * 1024 * 1024).to_string());
    assert!(lines[3].starts_with("50000"), "half a core: {lines:?}");
    let hungry = step(&image, "head -c 300m /dev/zero | tail");
    let (progress, _) = run(&runner, &hungry).await;
    assert!(matches!(&progress, StepState::Exited { exit_code, .. } if *exit_code != 0), "{progress:?}");
    // A child is killed, and the first process goes on. The engine learns of the kill and of the end separately, so it may miss the
    // kill while the machine is busy.
    let reason = Some("a process ran out of memory and was killed".to_owned());
    let expected = StepState::Exited { exit_code: 0, reason };
    let mut seen = Vec::new();
    while seen.len() < 3 && !seen.contains(&expected) {
        let survived = step(&image, "head -c 300m /dev/zero | tail; exit 0");
        seen.push(run(&runner, &survived).await.0);
    }
    assert!(seen.contains(&expected), "{seen:?}");
}

/// A server that takes a run over begins in the middle of its log, and reads the end again until it could store it.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_log_is_read_again_after_a_takeover() {
    let Some(image) = docker_image() else { return };
    let spec = step(&image, "echo one; sleep 1; echo two");
    let first = docker();
    first.start(&spec).await.unwrap();
    let _ended = ended(&first, &spec.name).await;
    let second = docker();
    for _ in 0..3 {
        assert_eq!(texts(&read(&second, &spec.name, 1, 10).await), ["two"]);
    }
    second.remove(&spec.name).await.unwrap();
}

/// Variables name the files, which are read-only if the runner supports it.
async fn files_are_found(runner: &dyn Runner, image: &str) {
    let file = |variables: &[&str], path: &str, content: &str| StepFile {
        variables: variables.iter().map(|name| (*name).to_owned()).collect(),
        path: path.to_owned(),
        content: Secret::new(content.to_owned()),
    };
    let files = vec![
        file(&["ONE", "SAME"], "/etc/app/deep/one.conf", "first\nfile"),
        file(&["TWO"], "/two.conf", "second ${HOME}"),
    ];
    let mut spec = StepSpec { files, ..step(image, "cat \"$ONE\"; echo; cat \"$TWO\"; echo; cat \"$SAME\"") };
    for (name, path) in [("ONE", "/etc/app/deep/one.conf"), ("SAME", "/etc/app/deep/one.conf"), ("TWO", "/two.conf")] {
        spec.environment.push((name.to_owned(), Secret::new(path.to_owned())));
    }
    let (progress, lines) = run(runner, &spec).await;
    assert_eq!((progress, texts(&lines)), (exit(0), vec!["first", "file", "second ${HOME}", "first", "file"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_in_containers() {
    let Some(image) = docker_image() else { return };
    files_are_found(&docker(), &image).await;
    // The files are at their paths.
    let file = StepFile {
        variables: vec!["CONFIG".into()],
        path: "/etc/app.conf".into(),
        content: Secret::new("hello".into()),
    };
    let spec = StepSpec { files: vec![file], ..step(&image, "cat /etc/app.conf") };
    assert_eq!(texts(&run(&docker(), &spec).await.1), ["hello"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_processes() {
    let folder = tempfile::tempdir().unwrap();
    files_are_found(&process(folder.path()), "").await;
    assert!(!Path::new("/two.conf").exists(), "nothing is written outside the scratch folder");
}

/// The registry of the tests: user, password, host, image and tag.
pub(crate) fn test_registry() -> Option<(String, String, String, String, String)> {
    let reference = needed("WINDLASS_TEST_REGISTRY")?;
    let (login, reference) = reference.split_once('@').unwrap();
    let (user, password) = login.split_once(':').unwrap();
    let (host, rest) = reference.split_once('/').unwrap();
    let (image, tag) = rest.rsplit_once(':').unwrap();
    Some((user.into(), password.into(), host.into(), image.into(), tag.into()))
}

/// Images are pulled from a registry that requires a login.
#[tokio::test(flavor = "multi_thread")]
async fn images_are_pulled_with_the_credentials_of_their_registry() {
    let Some(reference) = needed("WINDLASS_TEST_REGISTRY") else { return };
    let (login, reference) = reference.split_once('@').unwrap();
    let (username, password) = login.split_once(':').unwrap();
    let server = reference.split('/').next().unwrap().to_owned();
    // The engine may still have the image from an earlier test.
    let _absent = std::process::Command::new("docker").args(["rmi", "-f", reference]).output();
    let runner = docker();
    let with = |reference: &str, login: Option<(&str, &str)>| {
        let credentials = login.map(|(username, password)| Credentials {
            username: username.to_owned(),
            password: Secret::new(password.to_owned()),
            server: server.clone(),
        });
        let image = Some(Image { reference: reference.to_owned(), credentials, local: false });
        StepSpec { image, ..step("", "echo pulled") }
    };
    let reason = |progress: StepState| match progress {
        StepState::CannotStart { reason } => reason,
        other => panic!("{other:?}"),
    };
    for login in [None, Some((username, "wrong"))] {
        let spec = with(reference, login);
        runner.start(&spec).await.unwrap();
        let text = reason(ended(&runner, &spec.name).await);
        assert!(text.contains("could not be pulled") && !text.contains("wrong"), "{text}");
    }
    let (progress, lines) = run(&runner, &with(reference, Some((username, password)))).await;
    assert_eq!((progress, texts(&lines)), (exit(0), vec!["pulled"]));
    // By its digest, once the engine no longer has it.
    let docker_says = |words: &[&str]| {
        let said = std::process::Command::new("docker").args(words).output().unwrap().stdout;
        String::from_utf8(said).unwrap().trim().to_owned()
    };
    let pinned = docker_says(&["inspect", "--format", "{{range .RepoDigests}}{{println .}}{{end}}", reference]);
    let pinned = pinned.lines().find(|name| name.starts_with(&server)).unwrap();
    docker_says(&["rmi", "-f", reference]);
    docker_says(&["rmi", "-f", pinned]);
    let (progress, lines) = run(&runner, &with(pinned, Some((username, password)))).await;
    assert_eq!((progress, texts(&lines)), (exit(0), vec!["pulled"]));
    let absent = with(&format!("{reference}-absent"), Some((username, password)));
    runner.start(&absent).await.unwrap();
    let text = reason(ended(&runner, &absent.name).await);
    assert!(text.contains("could not be pulled"), "{text}");
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_unavailable() {
    let runner: Arc<dyn Runner> =
        Arc::new(DockerRunner::new(Some("unix:///nowhere/docker.sock"), Clock::system(), Wake::default()));
    assert!(runner.poll("x").await.is_err());
    assert!(runner.start(&step("x", "true")).await.is_err());
}

/// Outputs can be written even if the root is read-only.
#[tokio::test]
async fn a_read_only_container_leaves_outputs() {
    let Some(image) = docker_image() else { return };
    let runner = docker();
    let script = "touch /x 2>/dev/null && exit 9; test -x /bin/sh || exit 8; cat /bin/conf || exit 7; \
         echo '{}' > /qovery-output/qovery-output.json";
    let file = StepFile { variables: Vec::new(), path: "/bin/conf".into(), content: Secret::new("x".into()) };
    let step = StepSpec { read_only_root: true, files: vec![file], ..step(&image, script) };
    runner.start(&step).await.unwrap();
    assert_eq!(ended(&runner, &step.name).await, exit(0));
    assert_eq!(
        runner.output(&step.name, windlass::runner::OUTPUT_FILE, runner.most_output()).await.unwrap().as_deref(),
        Some(&b"{}\n"[..])
    );
    runner.remove(&step.name).await.unwrap();
}
