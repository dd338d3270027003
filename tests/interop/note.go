// Run by note.sh: judge VECTORS-FOLDER
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var folder, failed = os.Args[1], 0

func read(name string) []byte {
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		panic(err)
	}
	return data
}

func check(name string, err error) {
	if err != nil {
		failed++
		fmt.Printf("not ok note %s\n# %v\n", name, err)
		return
	}
	fmt.Printf("ok note %s\n", name)
}

func mustFail(name string, err error) {
	if err == nil {
		check(name, fmt.Errorf("was accepted"))
		return
	}
	check(name, nil)
}

func hash(text string) (h tlog.Hash, err error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err == nil && len(raw) != len(h) {
		err = fmt.Errorf("hash of %d bytes", len(raw))
	}
	copy(h[:], raw)
	return h, err
}

func main() {
	var keys struct {
		Log struct{ Vkey string }
	}
	if err := json.Unmarshal(read("keys.json"), &keys); err != nil {
		panic(err)
	}
	verifier, err := note.NewVerifier(keys.Log.Vkey)
	check("the verifier key is well formed", err)
	list := note.VerifierList(verifier)
	signed, err := note.Open(read("checkpoint"), list)
	check("the checkpoint's signature holds", err)
	changed := bytes.Replace(read("checkpoint"), []byte("\n3\n"), []byte("\n4\n"), 1)
	_, err = note.Open(changed, list)
	mustFail("a changed checkpoint is refused", err)

	lines := strings.Split(signed.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check("the checkpoint has a size", err)
	root, err := hash(lines[2])
	check("the checkpoint has a root", err)

	parts := strings.SplitN(string(read("generation.tlog-proof")), "\n\n", 2)
	rows := strings.Split(parts[0], "\n")
	index, err := strconv.ParseInt(strings.TrimPrefix(rows[1], "index "), 10, 64)
	check("the proof has an index", err)
	var proof tlog.RecordProof
	for _, row := range rows[2:] {
		h, err := hash(row)
		if err != nil {
			check("the proof's hashes are well formed", err)
		}
		proof = append(proof, h)
	}
	check("the proof holds", tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(read("generation.dsse.json"))))
	mustFail("the proof is refused for another entry",
		tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(read("training.dsse.json"))))

	var hashes []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) (out []tlog.Hash, err error) {
		for _, i := range indexes {
			out = append(out, hashes[i])
		}
		return out, nil
	})
	for n, name := range []string{"identity", "generation", "training"} {
		stored, err := tlog.StoredHashes(int64(n), read(name+".dsse.json"), reader)
		if err != nil {
			panic(err)
		}
		hashes = append(hashes, stored...)
	}
	computed, err := tlog.TreeHash(3, reader)
	if err == nil && computed != root {
		err = fmt.Errorf("%v, not %v", computed, root)
	}
	check("the tree's root is the checkpoint's", err)
	if failed > 0 {
		os.Exit(1)
	}
}
