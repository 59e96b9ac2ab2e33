//! Other generators of clients, and the linters of the contracts: what they make of our contract compiles, and decodes both kinds of
//! jobs of a live server.
//!
//! Each is pinned by a lock file or by its version, and built in target/clients/generators.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::client_program::{copied, with};
use crate::command::{self, Result, find, read, root, run};
use crate::server::Server;
use crate::timing::Timing;
use crate::{go, npm, python, sdk};

/// Programs that are needed, and the Debian packages that contain them.
pub(crate) const PACKAGES: [(&str, &str); 2] = [("javac", "default-jdk-headless"), ("mvn", "maven")];

const OPENAPI_PYTHON_CLIENT: &str = "openapi-python-client==0.29.1";
const DATAMODEL_CODE_GENERATOR: &str = "datamodel-code-generator==0.89.0";
/// For the models: the type of addresses is an extra of pydantic.
const EMAIL_VALIDATOR: &str = "email-validator==2.4.0";
/// What openapi-generator is told for Java.
const JAVA: [&str; 4] = [
    "--library=okhttp-gson",
    "--global-property=models,apis,supportingFiles,apiTests=false,modelTests=false,apiDocs=false,modelDocs=false",
    "--additional-properties=invokerPackage=windlass,apiPackage=windlass.api,modelPackage=windlass.model",
    // A server may answer keys that a client does not know yet.
    "--additional-properties=disallowAdditionalPropertiesIfNotPresent=false",
];
/// Settings of Maven: only the classes, and no cache outside the target folder.
const MAVEN: [&str; 6] =
    ["-q", "-B", "package", "-Dmaven.test.skip=true", "-Dmaven.javadoc.skip=true", "-Dmaven.source.skip=true"];

/// Runs all of them against a server.
pub(crate) fn run_all(server: &Server) -> Result<()> {
    let jobs = jobs(server)?;
    let mut timing = Timing::of("generators of clients");
    timing.part("Spectral, Redocly, four generators for TypeScript", typescript)?;
    timing.part("openapi-python-client, datamodel-code-generator", || with_python(server, &jobs))?;
    timing.part("oapi-codegen, ogen", || with_go(server, &jobs))?;
    timing.part("openapi-generator for Java", || with_java(server, &jobs))?;
    timing.part("progenitor", || with_rust(server, &jobs))
}

/// Settings of the programs: a job of each kind.
type Jobs = Vec<(String, String)>;

fn contracts() -> PathBuf {
    root().join("api-spec")
}

/// Creates a job of each kind.
fn jobs(server: &Server) -> Result<Jobs> {
    let mut command = Command::new("python3");
    command.arg(root().join("tests/clients/generators/python/jobs.py"));
    let output = read(with(server, &mut command))?;
    let pairs = output.lines().filter_map(|line| line.split_once('='));
    Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Runs a program that decodes the jobs.
fn tour(server: &Server, jobs: &Jobs, command: &mut Command) -> Result<()> {
    command.envs(jobs.iter().map(|(name, value)| (name, value)));
    run(with(server, command))
}

fn typescript() -> Result<()> {
    let folder = copied("generators/typescript")?;
    npm::install(&folder)?;
    let node = node(&folder)?;
    let contract = contracts().join("openapi.yaml").display().to_string();
    let named = |name: &str| contracts().join(name).display().to_string();
    let all = [contract.clone(), named("terrakube.yaml"), named("cloud.yaml")];
    let tool = |program: &str, words: &[&str]| {
        let mut command = Command::new(&node);
        command.arg(folder.join("node_modules").join(program)).args(words).current_dir(&folder);
        // Neither looks for newer releases.
        command.env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
        read(&mut command)
    };
    let [first, second, third] = all.each_ref().map(String::as_str);
    // Reading or creating a resource of a collection that is always empty is always refused; what anybody may ask never is.
    for (one, rules, unless) in [
        (first, "spectral.yaml", "none"),
        (second, "spectral-terrakube.yaml", "operation-2xx-response"),
        (third, "spectral.yaml", "operation-4xx-response"),
    ] {
        let spectral = ["lint", "--ruleset", rules, "--fail-severity", "hint", one];
        tool("@stoplight/spectral-cli/dist/index.js", &spectral)?;
        let words = ["lint", "--format", "json", "--extends", "recommended", "--skip-rule", unless, one];
        let report = tool("@redocly/cli/bin/cli.js", &words)?;
        if !report.contains("\"problems\": []") {
            return Err(format!("Redocly reports, for {one}:\n{report}"));
        }
    }
    tool("openapi-typescript/bin/cli.js", &[first, "--output", "openapi-typescript.ts"])?;
    tool("orval/dist/bin/orval.mjs", &["--input", first, "--output", "orval/api.ts", "--client", "fetch"])?;
    let plugins = ["@hey-api/typescript", "@hey-api/sdk", "@hey-api/client-fetch"];
    tool("@hey-api/openapi-ts/bin/run.js", &[&["-i", first, "-o", "hey-api", "-p"][..], &plugins].concat())?;
    let words = ["generate", "--path", first, "--output", "swagger-typescript-api", "--name", "api.ts"];
    tool("swagger-typescript-api/dist/cli.mjs", &words)?;
    tool("typescript/bin/tsc", &["--project", "."]).map(drop)
}

/// A Node.js that is new enough for the generators, from the lock file.
fn node(folder: &Path) -> Result<PathBuf> {
    let places = ["x64", "arm64"].map(|kind| folder.join(format!("node_modules/node-linux-{kind}/bin/node")));
    places.into_iter().find(|place| place.is_file()).ok_or_else(|| "there is no Node.js for this processor".into())
}

fn with_python(server: &Server, jobs: &Jobs) -> Result<()> {
    let folder = copied("generators/python")?;
    let packages = [OPENAPI_PYTHON_CLIENT, DATAMODEL_CODE_GENERATOR, EMAIL_VALIDATOR];
    let python = python::with(&folder.join("venv"), &packages)?;
    let contract = contracts().join("openapi.yaml");
    let tool = |program: &str, words: &[&str]| {
        let mut command = Command::new(python.with_file_name(program));
        command.args(words).arg(&contract).current_dir(&folder);
        read(&mut command)
    };
    let words = ["generate", "--overwrite", "--meta", "none", "--output-path", "httpx_client", "--path"];
    tool("openapi-python-client", &words)?;
    let words = ["--input-file-type", "openapi", "--output-model-type", "pydantic_v2.BaseModel"];
    tool("datamodel-codegen", &[&words[..], &["--output", "pydantic_models.py", "--input"]].concat())?;
    tour(server, jobs, Command::new(&python).arg("tour.py").current_dir(&folder))
}

fn with_go(server: &Server, jobs: &Jobs) -> Result<()> {
    let folder = copied("generators/go")?;
    let program = go::program(&root().join("target"))?;
    let contract = contracts().join("openapi.yaml");
    for package in ["oapi", "ogenapi"] {
        fs::create_dir_all(folder.join(package)).map_err(|e| format!("{package}: {e}"))?;
    }
    let go = |words: &[&str]| {
        let mut command = Command::new(&program);
        command.args(words).current_dir(&folder);
        command
    };
    let words = ["tool", "oapi-codegen", "-generate", "types,client", "-package", "oapi", "-o", "oapi/api.go"];
    read(go(&words).arg(&contract))?;
    let words = ["tool", "ogen", "-config", "ogen.yml", "-target", "ogenapi", "-package", "ogenapi", "-clean"];
    read(go(&words).arg(&contract))?;
    read(&mut go(&["build", "-o", "tour", "."]))?;
    tour(server, jobs, &mut Command::new(folder.join("tour")))
}

fn with_java(server: &Server, jobs: &Jobs) -> Result<()> {
    let folder = copied("generators/java")?;
    let _old = fs::remove_dir_all(folder.join("sdk"));
    let mut generate = Command::new(find("java").ok_or("java is not installed")?);
    generate.arg("-jar").arg(sdk::generator()?).args(["generate", "-g", "java", "-o", "sdk", "-i"]);
    read(generate.arg(contracts().join("openapi.yaml")).args(JAVA).current_dir(&folder))?;
    let cache = format!("-Dmaven.repo.local={}", folder.join("maven").display());
    read(Command::new("mvn").args(MAVEN).arg(cache).current_dir(folder.join("sdk")))?;
    let mut program = Command::new("java");
    program.args(["-cp", "sdk/target/classes:sdk/target/lib/*", "Tour.java"]).current_dir(&folder);
    tour(server, jobs, &mut program)
}

fn with_rust(server: &Server, jobs: &Jobs) -> Result<()> {
    let folder = copied("generators/rust")?;
    let mut contract = Command::new("curl");
    contract.args(["--silent", "--fail", "--output", "contract.json"]).arg(format!("{}/openapi.json", server.url));
    read(contract.current_dir(&folder))?;
    let mut build = command::cargo_for_others();
    build.args(["build", "--quiet", "--locked"]).current_dir(&folder).env("CARGO_TARGET_DIR", folder.join("target"));
    read(&mut build)?;
    tour(server, jobs, &mut Command::new(folder.join("target/debug/progenitor-tour")))
}
