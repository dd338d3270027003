// Run by dsse.sh: node dsse.mjs SCHEMA-FOLDER EXPORTED-LEDGER
import { createRequire } from 'node:module';
import { createPublicKey, createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const require = createRequire(join(process.env.NODE_PATH, 'x.js'));
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');
const { bundleFromJSON } = require('@sigstore/bundle');
const { verifyCheckpoint } = require('@sigstore/verify/dist/tlog/checkpoint.js');
const { verifyMerkleInclusion } = require('@sigstore/verify/dist/tlog/merkle.js');
const Ajv = require('ajv/dist/2020').default;

const [schemaFolder, exported] = process.argv.slice(2);
const vectors = join(schemaFolder, 'vectors');
const text = (...path) => readFileSync(join(...path), 'utf8');
const json = (...path) => JSON.parse(text(...path));
let failed = 0;

function check(name, run) {
    try {
        run();
        console.log(`ok dsse ${name}`);
    } catch (error) {
        failed++;
        console.log(`not ok dsse ${name}\n# ${String(error.message ?? error).split('\n').join('\n# ')}`);
    }
}

function mustFail(run) {
    try {
        run();
    } catch {
        return;
    }
    throw new Error('was accepted');
}

// ---- envelopes ----

// Throws unless the Sigstore verifier accepts the envelope by this public key (PEM).
function verifyEnvelope(envelope, pem) {
    const bundle = bundleFromJSON({
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verificationMaterial: { publicKey: { hint: 'author' }, tlogEntries: [], timestampVerificationData: {} },
        dsseEnvelope: envelope,
    });
    const trust = {
        tlogs: [], ctlogs: [], timestampAuthorities: [], certificateAuthorities: [],
    };
    const key = createPublicKey(pem);
    const material = toTrustMaterial({ mediaType: '', ...trust }, () => ({ publicKey: key, validFor: () => true }));
    new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 }).verify(toSignedEntity(bundle));
}

// ---- checkpoints and proofs ----

// name+hash+base64(type || key) -> what the Sigstore verifier wants to know of a log.
function logOf(vkey) {
    const [name, hash, ...blob] = vkey.trim().split('+');
    const raw = Buffer.from(blob.join('+'), 'base64');
    const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw.subarray(1)]);
    return {
        logID: Buffer.from(hash, 'hex'),
        baseURL: name,
        publicKey: createPublicKey({ key: der, format: 'der', type: 'spki' }),
        validFor: { start: new Date(0), end: new Date(8e15) },
    };
}

function readProof(proofText) {
    const end = proofText.indexOf('\n\n');
    const [header, index, ...hashes] = proofText.slice(0, end).split('\n');
    if (header !== 'c2sp.org/tlog-proof@v1') throw new Error('header');
    return { index: index.slice('index '.length), hashes, checkpoint: proofText.slice(end + 2) };
}

function verifyProof(leaf, proof, log) {
    const entry = {
        canonicalizedBody: leaf,
        inclusionProof: {
            logIndex: proof.index,
            hashes: proof.hashes.map((hash) => Buffer.from(hash, 'base64')),
            checkpoint: { envelope: proof.checkpoint },
        },
    };
    verifyMerkleInclusion(entry, verifyCheckpoint(entry, [log]));
}

// RFC 6962 root, by the definition.
const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();
function root(leaves) {
    if (leaves.length === 1) return sha256(Buffer.of(0), leaves[0]);
    let half = 1;
    while (half * 2 < leaves.length) half *= 2;
    return sha256(Buffer.of(1), root(leaves.slice(0, half)), root(leaves.slice(half)));
}

// ---- the published vectors ----

const keys = json(vectors, 'keys.json');
const statements = ['identity', 'generation', 'training', 'decision', 'transfer', 'withdrawal', 'erasure', 'admission', 'rotation',
    'revocation', 'recovery'];
for (const name of statements) {
    check(`sigstore accepts the ${name} envelope`, () => verifyEnvelope(json(vectors, `${name}.dsse.json`), keys.author.pem));
    check(`sigstore refuses the ${name} envelope with another payload`, () => {
        const envelope = json(vectors, `${name}.dsse.json`);
        envelope.payload = Buffer.from(text(vectors, `${name}.payload.json`).replace('Ada', 'Eve')).toString('base64');
        mustFail(() => verifyEnvelope(envelope, keys.author.pem));
    });
    check(`the ${name} payload and leaf hash are those of the envelope`, () => {
        const bytes = readFileSync(join(vectors, `${name}.dsse.json`));
        if (Buffer.from(JSON.parse(bytes).payload, 'base64').toString() !== text(vectors, `${name}.payload.json`)) {
            throw new Error('payload');
        }
        if (root([bytes]).toString('hex') !== text(vectors, `${name}.leaf`)) throw new Error('leaf hash');
    });
}
check('sigstore accepts checkpoint and inclusion proof', () => {
    const proof = readProof(text(vectors, 'generation.tlog-proof'));
    verifyProof(readFileSync(join(vectors, 'generation.dsse.json')), proof, logOf(keys.log.vkey));
    mustFail(() => verifyProof(readFileSync(join(vectors, 'training.dsse.json')), proof, logOf(keys.log.vkey)));
    mustFail(() => verifyProof(readFileSync(join(vectors, 'generation.dsse.json')),
        { ...proof, checkpoint: proof.checkpoint.replace('\n3\n', '\n4\n') }, logOf(keys.log.vkey)));
});

// ---- an exported ledger ----

if (existsSync(exported)) {
    check('sigstore accepts an exported ledger, entry by entry', () => {
        const lines = text(exported, 'entries.jsonl').trimEnd().split('\n').map((line) => Buffer.from(line));
        const log = logOf(text(exported, 'log.vkey'));
        const checkpoint = text(exported, 'checkpoint');
        const signed = verifyCheckpoint({ inclusionProof: { checkpoint: { envelope: checkpoint } } }, [log]);
        if (signed.logSize !== BigInt(lines.length) || !signed.logHash.equals(root(lines))) throw new Error('root');
        const identity = JSON.parse(Buffer.from(JSON.parse(lines[0]).payload, 'base64')).predicate;
        for (const line of lines) verifyEnvelope(JSON.parse(line), identity.key.pem);
    });
    check('every statement of an exported ledger is valid by its schema', () => {
        const kinds = text(exported, 'entries.jsonl').trimEnd().split('\n').map((line) => {
            const statement = JSON.parse(Buffer.from(JSON.parse(line).payload, 'base64'));
            const kind = /^urn:blindstamp:(\w+):v1$/.exec(statement.predicateType)?.[1] ?? 'generation';
            validate(kind, statement);
            return kind;
        });
        if (kinds.join() !== 'identity,model' + ',generation'.repeat(12) + ',adoption'.repeat(3)) throw new Error(kinds.join());
    });
} else {
    console.log('ok dsse sigstore accepts an exported ledger # SKIP the program is not built');
}

// ---- schemas ----

var ajv; // var: the exported ledger above is validated too
function validate(name, value) {
    ajv ??= makeAjv();
    const accept = ajv.getSchema(`https://blindstamp.invalid/schema/${name}/1`);
    if (!accept(value)) throw new Error(`${name}: ${ajv.errorsText(accept.errors)}`);
}

function makeAjv() {
    const made = new Ajv({ strict: true, strictTuples: false, strictRequired: false, allErrors: true });
    for (const file of readdirSync(schemaFolder)) {
        if (file.endsWith('.schema.json')) made.addSchema(json(schemaFolder, file));
    }
    return made;
}

for (const name of statements) {
    check(`the ${name} vector is valid by its schema`, () => {
        validate(name, json(vectors, `${name}.payload.json`));
        validate('envelope', json(vectors, `${name}.dsse.json`));
    });
    check(`the ${name} schema refuses additions and omissions`, () => {
        const statement = json(vectors, `${name}.payload.json`);
        validate(name, statement);
        mustFail(() => validate(name, { ...statement, extra: 1 }));
        mustFail(() => validate(name, { ...statement, predicateType: 'x' }));
        delete statement.subject;
        mustFail(() => validate(name, statement));
    });
}
check('the bundled data set is valid by its schema', () => {
    const folder = join(schemaFolder, '../gen/dataset');
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) validate('dataset', json(folder, file));
});
process.exit(failed ? 1 : 0);
