-- Blindstamp's ledger: one SQLite database (SQLite 3.37 or newer, for STRICT tables), schema version 2.
--
-- Two kinds of tables:
--   log, entry, checkpoint, secret   the record itself. Lose one and it cannot be made again.
--   node, author, model, record, relation, words   an index over it. Each can be dropped and rebuilt from the first kind.
--
-- The truth is `entry`: row n is leaf n of an RFC 6962 Merkle tree (SHA-256), and every batch of rows comes with a
-- signed checkpoint over the whole tree. The triggers stop accidents. They do not stop a person with a shell, and
-- need not: what such a person changes no longer fits the checkpoints, in this file or in anybody's hands, and
-- `blindstamp ledger verify` says where.
--
-- This script may be run again on a ledger: it adds what is missing and changes nothing else.
-- How to tell the file: application_id is 0x424C5354 ("BLST"). user_version is the schema version; a program must
-- refuse a number that is higher than it knows. Integers are signed 64-bit; times are Unix milliseconds, UTC.
PRAGMA application_id = 1112298324;
PRAGMA user_version = 2;

-- ---------------------------------------------------------------------------------------------- the record itself

-- The log's name and verifying key: one row. The identity statement in entry 0 states the same.
CREATE TABLE IF NOT EXISTS log (
    id     INTEGER PRIMARY KEY CHECK (id = 0),
    origin TEXT NOT NULL CHECK (origin <> ''),     -- first line of every checkpoint
    key    BLOB NOT NULL CHECK (length(key) = 32)  -- Ed25519 public key
) STRICT;

-- The signed statements, in the order in which they came. Nothing here is outside the Merkle tree: leaf is the
-- hash of envelope, and idx is its place.
CREATE TABLE IF NOT EXISTS entry (
    idx      INTEGER PRIMARY KEY CHECK (idx >= 0),             -- 0, 1, 2, ... without a gap
    leaf     BLOB NOT NULL CHECK (length(leaf) = 32),          -- SHA-256(0x00 || envelope), RFC 6962 2.1
    envelope BLOB NOT NULL CHECK (length(envelope) > 0)        -- DSSE envelope, canonical JSON (schema/README.md)
) STRICT;

-- One signed note (C2SP signed-note and tlog-checkpoint) for each batch, over the first `size` entries.
CREATE TABLE IF NOT EXISTS checkpoint (
    size INTEGER PRIMARY KEY CHECK (size > 0),
    note TEXT NOT NULL
) STRICT;

-- Words that a statement only commits to: its commitment is SHA-256(salt || name || 0x00 || words). Deleting a row
-- erases the words for good and breaks no proof; the database runs with secure_delete, so the bytes go too.
CREATE TABLE IF NOT EXISTS secret (
    entry INTEGER NOT NULL REFERENCES entry (idx),
    name  TEXT NOT NULL,                                       -- "prompt", "title", "seed", ...
    salt  BLOB NOT NULL CHECK (length(salt) = 32),
    words TEXT NOT NULL,                                       -- numbers and lists as canonical JSON text
    PRIMARY KEY (entry, name)
) STRICT, WITHOUT ROWID;

-- Guards. INSERT OR REPLACE deletes without firing delete triggers, so the insert triggers refuse every index but
-- the next one; that also stops gaps and upserts.
CREATE TRIGGER IF NOT EXISTS entry_in_sequence BEFORE INSERT ON entry
WHEN NEW.idx IS NOT (SELECT coalesce(max(idx) + 1, 0) FROM entry)
BEGIN SELECT RAISE(ABORT, 'ledger: entries are appended one after the other'); END;
CREATE TRIGGER IF NOT EXISTS entry_no_update BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'ledger: entries are never changed'); END;
CREATE TRIGGER IF NOT EXISTS entry_no_delete BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'ledger: entries are never deleted'); END;

CREATE TRIGGER IF NOT EXISTS checkpoint_in_sequence BEFORE INSERT ON checkpoint
WHEN NEW.size <= (SELECT coalesce(max(size), 0) FROM checkpoint)
  OR NEW.size IS NOT (SELECT max(idx) + 1 FROM entry)
BEGIN SELECT RAISE(ABORT, 'ledger: a checkpoint covers all entries and more than the one before'); END;
CREATE TRIGGER IF NOT EXISTS checkpoint_no_update BEFORE UPDATE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'ledger: checkpoints are never changed'); END;
CREATE TRIGGER IF NOT EXISTS checkpoint_no_delete BEFORE DELETE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'ledger: checkpoints are never deleted'); END;

CREATE TRIGGER IF NOT EXISTS log_one_row BEFORE INSERT ON log
WHEN EXISTS (SELECT 1 FROM log)
BEGIN SELECT RAISE(ABORT, 'ledger: a ledger is one log'); END;
CREATE TRIGGER IF NOT EXISTS log_no_update BEFORE UPDATE ON log
BEGIN SELECT RAISE(ABORT, 'ledger: the log keeps its name and key'); END;
CREATE TRIGGER IF NOT EXISTS log_no_delete BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'ledger: the log keeps its name and key'); END;

CREATE TRIGGER IF NOT EXISTS secret_no_update BEFORE UPDATE ON secret
BEGIN SELECT RAISE(ABORT, 'ledger: secrets are erased (DELETE), never changed'); END;

-- ---------------------------------------------------------------------------------------- the index, made from it

-- Complete subtrees of the Merkle tree: hash of leaves [idx * 2^level, (idx + 1) * 2^level), level >= 1. Level 0 is
-- entry.leaf. An append adds as many rows as it adds leaves, less at most 63; a proof reads at most 63 rows.
CREATE TABLE IF NOT EXISTS node (
    level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 62),
    idx   INTEGER NOT NULL CHECK (idx >= 0),
    hash  BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;

-- Who signed, under which name. Names are the author's own words; the key id is what a signature proves.
CREATE TABLE IF NOT EXISTS author (
    id     INTEGER PRIMARY KEY,
    key_id TEXT NOT NULL,             -- SHA-256 of the public key's SubjectPublicKeyInfo, hexadecimal
    name   TEXT NOT NULL,             -- "" when the statement gives none
    UNIQUE (key_id, name)
) STRICT;
CREATE INDEX IF NOT EXISTS author_name ON author (name COLLATE NOCASE);

-- Models that pictures were made with, that were trained or taken in.
CREATE TABLE IF NOT EXISTS model (
    id      INTEGER PRIMARY KEY,
    sha256  TEXT NOT NULL,            -- of the model file, hexadecimal
    name    TEXT NOT NULL,            -- "" when the statement gives none
    licence TEXT NOT NULL,            -- as the statement gives it; "" when it gives none
    UNIQUE (sha256, name, licence)
) STRICT;
CREATE INDEX IF NOT EXISTS model_name ON model (name COLLATE NOCASE);
CREATE INDEX IF NOT EXISTS model_licence ON model (licence COLLATE NOCASE);

-- What each entry says: one row an entry. NULL means that the statement does not say. title, prompt, description,
-- seed and file_name also hold words that the statement only commits to, as long as their row in `secret` stands.
CREATE TABLE IF NOT EXISTS record (
    entry         INTEGER PRIMARY KEY,     -- entry.idx
    kind          TEXT NOT NULL,           -- 'generation', 'training', 'identity' ... (schema/README.md), or 'other'
    time          INTEGER,                 -- when it was made, as the signed statement says
    author        INTEGER NOT NULL REFERENCES author (id),
    model         INTEGER REFERENCES model (id), -- generation: made with it; training: made by it
    file_name     TEXT,                    -- name of the statement's first subject
    image_id      TEXT,                    -- UUID that is also in the file's metadata
    seed          TEXT,                    -- unsigned 64-bit, decimal: SQLite has no such number
    width         INTEGER,
    height        INTEGER,
    sha256        TEXT,                    -- of the file's bytes without the C2PA manifest, hexadecimal
    pixels_sha256 TEXT,                    -- of the decoded samples (bst_image_digest), hexadecimal
    title         TEXT,
    prompt        TEXT,
    description   TEXT,
    privacy       TEXT,                    -- 'public', 'partner' or 'private'
    licence       TEXT,                    -- of the picture, or of a trained model's data set
    act           TEXT,                    -- decision: 'select', 'edit', 'arrange'; admission: the role
    holder        TEXT,                    -- transfer: the name of whom the rights were passed to
    source_type   TEXT,                    -- of an adopted picture, as its author declares it: 'composite' ...
    arith         TEXT,                    -- rules of arithmetic, 'blindstamp-arith/1'
    version       TEXT,                    -- of the program that wrote the statement
    controls      TEXT                     -- SHA-256 of model, seed and all else that decides about the pixels
                                           -- (schema/README.md); NULL when one of them is not known
) STRICT;
CREATE INDEX IF NOT EXISTS record_kind ON record (kind);
CREATE INDEX IF NOT EXISTS record_time ON record (time);
CREATE INDEX IF NOT EXISTS record_author ON record (author);
CREATE INDEX IF NOT EXISTS record_model ON record (model);
CREATE INDEX IF NOT EXISTS record_image_id ON record (image_id);
CREATE INDEX IF NOT EXISTS record_seed ON record (seed);
CREATE INDEX IF NOT EXISTS record_licence ON record (licence COLLATE NOCASE) WHERE licence IS NOT NULL;
CREATE INDEX IF NOT EXISTS record_privacy ON record (privacy);
CREATE INDEX IF NOT EXISTS record_source_type ON record (source_type) WHERE source_type IS NOT NULL;
CREATE INDEX IF NOT EXISTS record_controls ON record (controls) WHERE controls IS NOT NULL;

-- Every digest that an entry names, in which role, so that all that was ever said about a file is one look-up:
--   subject     the file that the statement is about          pixels   the samples of that picture
--   model       made with this model                          weights  a file of weights beside it
--   card        a model's card                                input    made from this picture
--   parent      an adopted file as it was found               source   what a model was converted from
--   dataset     trained on this set (jcs-sha256)              item     trained on this picture
--   candidate   stood for choice and was not chosen           before   was edited
--   part        was put together with others                  entry    an entry that the statement is about (leaf hash)
--   key         a key that the statement is about (key id)    replaced the key before it
--   holder      the key of whom rights were passed to         other    named in no role that is known here
-- A picture other than the subject has both its digests under the same role.
CREATE TABLE IF NOT EXISTS relation (
    digest BLOB NOT NULL CHECK (length(digest) = 32), -- SHA-256
    role   TEXT NOT NULL,
    entry  INTEGER NOT NULL,          -- entry.idx
    place  INTEGER NOT NULL,          -- 0, 1, 2 ...: the statement's digests in its order
    name   TEXT,                      -- that the statement gives it; NULL for the first subject, see record.file_name
    PRIMARY KEY (digest, role, entry, place)
) STRICT, WITHOUT ROWID;

-- Full text of record's title, prompt and description; rowid is the entry. Entries without words have no row.
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
    title, prompt, description, tokenize = 'unicode61 remove_diacritics 2');

-- Erasing a secret takes its words out of `record`. `words` must follow in the same transaction (delete the row, add
-- what is left, then INSERT INTO words (words) VALUES ('optimize') so that no old segment keeps them): a trigger must
-- not touch a virtual table while trusted_schema is off, as it should be for a file that others may have written.
CREATE TRIGGER IF NOT EXISTS secret_erased AFTER DELETE ON secret
BEGIN
    UPDATE record SET
        title = iif(OLD.name = 'title', NULL, title),
        prompt = iif(OLD.name = 'prompt', NULL, prompt),
        description = iif(OLD.name IN ('description', 'why'), NULL, description),
        seed = iif(OLD.name = 'seed', NULL, seed),
        file_name = iif(OLD.name = 'file_name', NULL, file_name),
        controls = iif(OLD.name IN ('title', 'prompt', 'description', 'file_name', 'why', 'tool'), controls, NULL)
    WHERE entry = OLD.entry;
END;
