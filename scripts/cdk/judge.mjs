// Lets CDK's validation and cdk-nag judge templates: judge.mjs TEMPLATE...
// Each finding needs an answer in docs/audit.md, and each answer a finding.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const require = createRequire(new URL('../../.tools/cdk/', import.meta.url));
const { App, CloudFormationValidatePlugin, Stack, Validations } = require('aws-cdk-lib');
const { CfnInclude } = require('aws-cdk-lib/cloudformation-include');
const { AwsSolutionsChecks, ServerlessChecks } = require('cdk-nag');

const answers = 'docs/audit.md';

// report returns what the judges say of the templates.
function report(templates) {
  const outdir = mkdtempSync(join(tmpdir(), 'cdk-'));
  const { error } = console;
  try {
    const app = new App({ outdir, analyticsReporting: false });
    for (const templateFile of templates) {
      const stack = new Stack(app, basename(templateFile).split('.')[0]);
      new CfnInclude(stack, 'template', { templateFile });
    }
    Validations.of(app).addPlugins(
      new CloudFormationValidatePlugin(), new AwsSolutionsChecks(app), new ServerlessChecks(app));
    console.error = () => {}; // CDK prints the report, too
    const file = join(outdir, 'validation-report.json');
    try {
      app.synth();
    } catch (failure) { // also of findings that CDK takes for errors
      if (!existsSync(file)) throw failure;
    }
    return JSON.parse(readFileSync(file, 'utf8'));
  } finally {
    console.error = error;
    rmSync(outdir, { recursive: true });
  }
}

// placeOf returns where a finding is: a parameter whose default it is about, a resource, or what its description names.
// The names of versions of functions end with a hash.
function placeOf(description, { cloudFormationResource, constructPath }) {
  const parameter = description.match(/'Ref': '(\w+)'\} default/)?.[1];
  const resource = cloudFormationResource?.logicalId ?? constructPath.split('/')[2];
  return parameter ?? resource?.replace(/Version[0-9a-f]{10}$/, 'Version') ?? description.match(/^\w+\/(\w+)/)[1];
}

// findingsOf returns the description of each finding by its rule and its place.
function findingsOf({ pluginReports }) {
  const findings = new Map();
  for (const { ruleName, description, violatingConstructs } of pluginReports.flatMap((p) => p.violations)) {
    for (const construct of violatingConstructs) {
      findings.set(`${ruleName.replaceAll(/\s/g, '')} ${placeOf(description, construct)}`, description);
    }
  }
  return findings;
}

// answered returns the findings in the code blocks of a document: on each line a rule and its places. A line that
// begins with two spaces continues the one before; a third one is a part of it.
function answered(document) {
  const findings = new Set();
  for (const [, block] of document.matchAll(/^```\n(.*?)^```$/gms)) {
    for (const line of block.replaceAll('\n  ', '').trim().split('\n')) {
      const [rule, ...places] = line.split(' ');
      for (const place of places) findings.add(`${rule} ${place}`);
    }
  }
  return findings;
}

const templates = process.argv.slice(2);
const found = findingsOf(report(templates));
const known = answered(readFileSync(answers, 'utf8'));
const faults = [
  ...[...found].filter(([f]) => !known.has(f)).map(([f, description]) => `${f}: no answer to: ${description}`),
  ...[...known].filter((f) => !found.has(f)).map((f) => `${f}: an answer, but no finding`),
];
for (const fault of faults) console.error(`${answers}: ${fault}`);
console.log(`cdk: ${found.size} findings in ${templates.length} templates, ${faults.length} without answer or finding`);
process.exitCode = faults.length > 0 ? 1 : 0;
