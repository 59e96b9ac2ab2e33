//! Images that are built from a repository or from an inline Dockerfile, on a real engine.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use windlass::clock::Clock;
use windlass::git::{Checkout, Login};
use windlass::liveness::wake::Wake;
use windlass::runner::docker::DockerRunner;
use windlass::runner::process::ProcessRunner;
use windlass::runner::{Build, Dockerfile, Image, ProcessOptions, Runner, StepSpec, StepState};
use windlass::secret::{Origin, Secret};

use crate::git_server::{git, repository};
use crate::harness::wait_for;
use crate::runner::docker_image;

fn docker() -> Arc<dyn Runner> {
    Arc::new(DockerRunner::new(None, Clock::system(), Wake::default()))
}

fn step(build: Option<Build>, image: Option<&str>) -> StepSpec {
    StepSpec {
        name: format!("windlass-test-{}", uuid::Uuid::now_v7()),
        image: image.map(|image| Image { reference: image.to_owned(), credentials: None, local: true }),
        entrypoint: None,
        arguments: Vec::new(),
        files: Vec::new(),
        environment: Vec::new(),
        cpu_milli: 500,
        memory_mib: 64,
        labels: Vec::new(),
        read_only_root: false,
        permit: None,
        build,
        source: None,
        interrupt: false,
        process: ProcessOptions::default(),
        pod: None,
        tool: None,
    }
}

fn build(source: Option<Checkout>, root_path: &str, dockerfile: Dockerfile) -> Build {
    Build {
        image: format!("windlass-test/{}", uuid::Uuid::now_v7()),
        source,
        root_path: root_path.to_owned(),
        dockerfile,
        target_stage: None,
        arguments: vec![("GREETING".into(), Secret::new("hello".into()))],
        cache: true,
    }
}

fn login(url: &str, token: &str) -> Login {
    let origins = Origin::of(url).into_iter().collect();
    Login { username: "x-access-token".into(), token: Secret::new(token.into()), origins }
}

fn wanted(url: &str) -> Checkout {
    Checkout {
        url: url.to_owned(),
        branch: Some("main".into()),
        commit: None,
        submodules: true,
        login: Some(login(url, "pass")),
        key: None,
        local: false,
    }
}

struct Ended {
    progress: StepState,
    log: String,
    output: Option<Value>,
}

async fn run(runner: &dyn Runner, step: &StepSpec) -> Ended {
    runner.start(step).await.unwrap();
    let (mut lines, mut progress) = (Vec::new(), StepState::Running);
    for _ in 0..2400 {
        progress = runner.poll(&step.name).await.unwrap();
        let more = runner.logs(&step.name, lines.len() as u64, 1000).await.unwrap();
        lines.extend(more.lines.into_iter().map(|line| line.text));
        if more.end && matches!(progress, StepState::Exited { .. } | StepState::CannotStart { .. }) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let output =
        runner.output(&step.name, windlass::runner::OUTPUT_FILE, windlass::runner::OUTPUT_BYTES).await.unwrap();
    runner.remove(&step.name).await.unwrap();
    Ended { progress, log: lines.join("\n"), output: output.map(|bytes| serde_json::from_slice(&bytes).unwrap()) }
}

fn remove(image: &str) {
    let _gone = std::process::Command::new("docker").args(["rmi", "-f", image]).output();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_is_built_run_and_used_again() {
    let Some(image) = docker_image() else { return };
    let (folder, url) = repository().await;
    let work = folder.path().join("work");
    let dockerfile = format!(
        "FROM {image} AS base\nARG GREETING\nRUN echo \"$GREETING\" > /greeting\nCOPY notes /notes\n\
         CMD [\"cat\", \"/greeting\", \"/notes\"]\nFROM base AS other\nCMD [\"echo\", \"other\"]\n"
    );
    std::fs::create_dir_all(work.join("built/docker")).unwrap();
    std::fs::write(work.join("built/docker/Dockerfile"), dockerfile).unwrap();
    std::fs::write(work.join("built/notes"), "noted\n").unwrap();
    git(&work, &["add", "."]);
    git(&work, &["commit", "-q", "-m", "build me"]);
    git(&work, &["push", "-q", "../app.git", "main"]);
    let runner = docker();
    let first = build(Some(wanted(&url)), "/built", Dockerfile::Path("docker/Dockerfile".into()));
    let first = Build { target_stage: Some("base".into()), ..first };
    let Ended { progress, log, output } = run(&*runner, &step(Some(first.clone()), None)).await;
    assert_eq!(progress, StepState::Exited { exit_code: 0, reason: None }, "{log}");
    let output = output.unwrap();
    let (name, commit) =
        (output["image"].as_str().unwrap().to_owned(), output["commit"]["id"].as_str().unwrap().to_owned());
    assert!(name.starts_with(&format!("{}:{}", first.image, &commit[..12])), "{name}");
    assert_eq!((&output["commit"]["author"], &output["commit"]["message"]), (&"Ann".into(), &"build me".into()));
    assert!(log.contains("] RUN echo") && log.contains("building"), "{log}");
    let ran = run(&*runner, &step(None, Some(&name))).await;
    assert_eq!(ran.log, "hello\nnoted");
    // The commit is given by its hash, although the branch has moved on: nothing has changed, so nothing is built.
    git(&work, &["commit", "-q", "--allow-empty", "-m", "later"]);
    git(&work, &["push", "-q", "../app.git", "main"]);
    let source = Checkout { commit: Some(commit), ..wanted(&url) };
    let again = run(&*runner, &step(Some(Build { source: Some(source), ..first.clone() }), None)).await;
    assert!(again.log.contains("nothing has changed") && !again.log.contains("] RUN echo"), "{}", again.log);
    assert_eq!(again.output.unwrap()["image"], name.as_str());
    let newer = run(&*runner, &step(Some(Build { target_stage: None, ..first.clone() }), None)).await;
    let newer = newer.output.unwrap();
    assert_eq!(newer["commit"]["message"], "later");
    let newer = newer["image"].as_str().unwrap().to_owned();
    assert_eq!(run(&*runner, &step(None, Some(&newer))).await.log, "other");
    for image in [name, newer] {
        remove(&image);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_builds_have_a_reason() {
    let Some(image) = docker_image() else { return };
    let (_folder, url) = repository().await;
    let runner = docker();
    let path = |name: &str| Dockerfile::Path(name.to_owned());
    let nobody = Checkout { login: None, ..wanted(&url) };
    let stranger = Checkout { login: Some(login(&url, "wrong")), ..wanted(&url) };
    let absent = wanted(&url.replace("app.git", "none.git"));
    let nowhere = wanted("https://git.invalid/app.git");
    let closed = wanted("http://127.0.0.1:9/app.git");
    let elsewhere = Checkout { branch: Some("nowhere".into()), ..wanted(&url) };
    let unknown = Checkout { commit: Some("0123456789012345678901234567890123456789".into()), ..wanted(&url) };
    let text = |text: String| Dockerfile::Text(text);
    let cases = [
        (build(Some(nobody), "/app", path("Dockerfile")), "requires a login, and none was given (git: fatal"),
        (build(Some(stranger), "/app", path("Dockerfile")), "rejected the login (git: fatal"),
        (build(Some(absent), "/app", path("Dockerfile")), "was not found, or the login may not read it (git: "),
        (build(Some(nowhere), "/app", path("Dockerfile")), "the host of the repository does not exist (git: fatal"),
        (build(Some(closed), "/app", path("Dockerfile")), "the host of the repository cannot be reached (git: fatal"),
        (build(Some(elsewhere), "/app", path("Dockerfile")), "has no such branch or commit (git: fatal"),
        (build(Some(unknown), "/app", path("Dockerfile")), "no commit"),
        (build(Some(wanted(&url)), "/nowhere", path("Dockerfile")), "has no /nowhere"),
        (build(Some(wanted(&url)), "/app", path("Otherfile")), "no Dockerfile at Otherfile"),
        (build(Some(wanted(&url)), "/", path("notes")), "has no FROM"),
        (build(None, "/", text(format!("FROM {image}\nRUN exit 7\n"))), "7"),
    ];
    for (build, reason) in cases {
        let Ended { progress, log, output } = run(&*runner, &step(Some(build), None)).await;
        let StepState::Exited { exit_code: 1, reason: Some(found) } = progress else { panic!("{progress:?}: {log}") };
        assert!(found.contains(reason), "{found:?} does not say {reason:?}");
        assert!(log.contains(found.lines().next().unwrap()), "the log does not contain the reason");
        assert_eq!(output, None);
    }
}

/// Whether a process of this machine has this word on its command line; the engine runs on the same machine.
fn is_running(word: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .any(|line| line.split(|byte| *byte == 0).any(|found| found == word.as_bytes()))
}

/// A build that is stopped ends, and so does the command that it runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_is_stopped() {
    let Some(image) = docker_image() else { return };
    let runner = docker();
    let seconds = format!("300.{}", uuid::Uuid::now_v7().as_u128() % 1_000_000_007);
    let text = format!("FROM {image}\nRUN sleep {seconds}\n");
    let step = step(Some(build(None, "/", Dockerfile::Text(text))), None);
    runner.start(&step).await.unwrap();
    wait_for("the command of the build", async || is_running(&seconds).then_some(())).await;
    assert_eq!(runner.poll(&step.name).await.unwrap(), StepState::Running);
    runner.stop(&step.name, Duration::ZERO).await.unwrap();
    let ended = runner.poll(&step.name).await.unwrap();
    assert!(matches!(ended, StepState::Exited { exit_code: 143, .. }), "{ended:?}");
    runner.remove(&step.name).await.unwrap();
    assert_eq!(runner.poll(&step.name).await.unwrap(), StepState::Unknown);
    wait_for("the end of the command", async || (!is_running(&seconds)).then_some(())).await;
}

/// What only BuildKit can build; its progress and the output of its commands are in the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buildkit_builds() {
    let Some(image) = docker_image() else { return };
    let text = format!(
        "FROM nowhere.invalid/none AS unused\nRUN exit 9\nFROM {image}\nARG GREETING\n\
         RUN --mount=type=cache,target=/cache echo \"$GREETING\" > /cache/x && cp /cache/x /x && echo out && echo err >&2\n\
         COPY --chmod=640 Dockerfile.qovery /copied\nCMD [\"stat\", \"-c\", \"%a\", \"/copied\"]\n"
    );
    let runner = docker();
    let built = run(&*runner, &step(Some(build(None, "/", Dockerfile::Text(text.clone()))), None)).await;
    assert_eq!(built.progress, StepState::Exited { exit_code: 0, reason: None }, "{}", built.log);
    for words in ["RUN --mount=type=cache,target=/cache echo", "out", "err", "DONE"] {
        assert!(built.log.lines().any(|line| line.starts_with('#') && line.contains(words)), "{words}: {}", built.log);
    }
    let name = built.output.unwrap()["image"].as_str().unwrap().to_owned();
    assert_eq!(run(&*runner, &step(None, Some(&name))).await.log, "640");
    remove(&name);
    let broken = text.replace("cp /cache/x /x", "cat /absent");
    let failed = run(&*runner, &step(Some(build(None, "/", Dockerfile::Text(broken))), None)).await;
    let StepState::Exited { exit_code: 1, reason: Some(reason) } = failed.progress else { panic!("{}", failed.log) };
    assert!(reason.contains("exit code: 1"), "{reason}");
    assert!(failed.log.contains("can't open '/absent'") && failed.log.contains("ERROR: "), "{}", failed.log);
}

/// Images that were built for another organization cannot be used, however a Dockerfile names them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_of_others_are_refused() {
    let Some(image) = docker_image() else { return };
    let runner = docker();
    let (own, other) = (uuid::Uuid::now_v7().simple().to_string(), uuid::Uuid::now_v7().simple().to_string());
    let of = |tenant: &str, text: String| Build {
        image: format!("windlass-build/{tenant}/job"),
        ..build(None, "/", Dockerfile::Text(text))
    };
    let built = run(&*runner, &step(Some(of(&other, format!("FROM {image}\n"))), None)).await;
    let name = built.output.unwrap()["image"].as_str().unwrap().to_owned();
    for text in [
        format!("FROM {name}\n"),
        format!("ARG GREETING={name}\nFROM docker.io/windlass-${{GREETING:+build}}/{other}/job\n"),
        format!("FROM {image}\nCOPY --from={name} /x /x\n"),
        format!("FROM {image} AS unused\nRUN --mount=type=bind,from={name},target=/m true\nFROM {image}\n"),
    ] {
        let refused = run(&*runner, &step(Some(of(&own, text.clone())), None)).await;
        let StepState::Exited { exit_code: 1, reason: Some(reason) } = refused.progress else { panic!("{text}") };
        assert!(reason.contains("not built for this organization"), "{text}: {reason}");
    }
    let again = run(&*runner, &step(Some(of(&other, format!("FROM {name}\nENV A=1\n"))), None)).await;
    assert_eq!(again.progress, StepState::Exited { exit_code: 0, reason: None }, "{}", again.log);
    remove(again.output.unwrap()["image"].as_str().unwrap());
    remove(&name);
}

/// An engine without BuildKit builds with the classic builder, and the log says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_without_buildkit() {
    use poem::listener::{Acceptor as _, Listener as _, TcpListener};
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    let address = acceptor.local_addr()[0].as_socket_addr().unwrap().to_string();
    let serve = poem::endpoint::make(|request: poem::Request| async move {
        let (path, query) = (request.uri().path().to_owned(), request.uri().query().unwrap_or_default().to_owned());
        let answer = |status: u16, text: &str| {
            let response = poem::Response::builder().status(poem::http::StatusCode::from_u16(status).unwrap());
            response.content_type("application/json").body(text.to_owned())
        };
        let json = |text: &str| answer(200, text);
        if path.ends_with("/version") {
            json("{\"ApiVersion\": \"1.41\", \"MinAPIVersion\": \"1.12\"}")
        } else if path.ends_with("/build") && query.contains("version=2") {
            answer(400, "{\"message\": \"buildkit is not supported by daemon\"}")
        } else if path.ends_with("/build") {
            json("{\"stream\": \"Step 1/1 : FROM scratch\\n\"}\n{\"stream\": \"Successfully built 0\\n\"}\n")
        } else if path.ends_with("/images/json") {
            json("[]")
        } else {
            answer(404, "{\"message\": \"No such image\"}")
        }
    });
    tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(serve));
    let runner = DockerRunner::new(Some(&format!("tcp://{address}")), Clock::system(), Wake::default());
    let built = run(&runner, &step(Some(build(None, "/", Dockerfile::Text("FROM scratch\n".into()))), None)).await;
    assert_eq!(built.progress, StepState::Exited { exit_code: 0, reason: None }, "{}", built.log);
    assert!(built.log.contains("this Docker engine has no BuildKit"), "{}", built.log);
    assert!(built.log.contains("Step 1/1 : FROM scratch"), "{}", built.log);
}

#[tokio::test]
async fn plain_processes_cannot_build() {
    let folder = tempfile::tempdir().unwrap();
    let runner = ProcessRunner::new(folder.path().to_owned(), None, Clock::system(), Wake::default());
    let step = step(Some(build(None, "/", Dockerfile::Text("FROM scratch".into()))), None);
    runner.start(&step).await.unwrap();
    let StepState::CannotStart { reason } = runner.poll(&step.name).await.unwrap() else {
        panic!("the build was started")
    };
    assert!(reason.contains("Docker engine"), "{reason}");
}
