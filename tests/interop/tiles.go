// Run by tiles.sh: judge FOLDER VERIFIER-KEY
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
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

func check(name string, err error) {
	if err != nil {
		failed++
		fmt.Printf("not ok tiles %s\n# %v\n", name, err)
		return
	}
	fmt.Printf("ok tiles %s\n", name)
}

// Go's own name of a tile has its height in front.
func path(tile tlog.Tile) string {
	return filepath.Join(folder, "tile", strings.TrimPrefix(tile.Path(), "tile/8/"))
}

// Reads hashes from our tiles, as a client does that trusts none of them.
type reader struct{}

func (reader) Height() int                     { return 8 }
func (reader) SaveTiles([]tlog.Tile, [][]byte) {}
func (reader) ReadTiles(tiles []tlog.Tile) (out [][]byte, err error) {
	for _, tile := range tiles {
		data, err := os.ReadFile(path(tile))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

func main() {
	verifier, err := note.NewVerifier(os.Args[2])
	check("the verifier key is well formed", err)
	text, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	check("there is a checkpoint", err)
	signed, err := note.Open(text, note.VerifierList(verifier))
	check("its signature holds", err)
	lines := strings.Split(signed.Text, "\n")
	size, _ := strconv.ParseInt(lines[1], 10, 64)
	tree := tlog.Tree{N: size}
	raw, _ := base64.StdEncoding.DecodeString(lines[2])
	copy(tree.Hash[:], raw)

	// The tree once more by Go, from the entries in the bundles.
	var hashes []tlog.Hash
	own := tlog.HashReaderFunc(func(indexes []int64) (out []tlog.Hash, err error) {
		for _, i := range indexes {
			out = append(out, hashes[i])
		}
		return out, nil
	})
	wanted := map[string]bool{"checkpoint": true}
	var count int64
	for _, tile := range tlog.NewTiles(8, 0, size) {
		if tile.L != 0 {
			continue
		}
		tile.L = -1 // Go's "data" tiles have the same numbers
		name := "tile/entries/" + strings.TrimPrefix(tile.Path(), "tile/8/data/")
		wanted[name] = true
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			check("has every entry", err)
			os.Exit(1)
		}
		for len(data) >= 2 {
			n := int(binary.BigEndian.Uint16(data))
			if len(data) < 2+n || !json.Valid(data[2:2+n]) {
				check("bundles are well formed", fmt.Errorf("%s", name))
				os.Exit(1)
			}
			stored, err := tlog.StoredHashes(count, data[2:2+n], own)
			if err != nil {
				panic(err)
			}
			hashes = append(hashes, stored...)
			count++
			data = data[2+n:]
		}
	}
	if count != size {
		err = fmt.Errorf("%d, not %d", count, size)
	}
	check("has every entry", err)
	root, err := tlog.TreeHash(size, own)
	if err == nil && root != tree.Hash {
		err = fmt.Errorf("another root")
	}
	check("the entries give the checkpoint's root", err)

	levels := 0
	for _, tile := range tlog.NewTiles(8, 0, size) {
		expected, err := tlog.ReadTileData(tile, own)
		if err != nil {
			panic(err)
		}
		data, err := os.ReadFile(path(tile))
		if err != nil || !bytes.Equal(data, expected) {
			check("tiles are byte for byte Go's", fmt.Errorf("%s: %v", tile.Path(), err))
			os.Exit(1)
		}
		name, _ := filepath.Rel(folder, path(tile))
		wanted[name] = true
		if tile.L > levels {
			levels = tile.L
		}
	}
	if levels != 1 {
		err = fmt.Errorf("the tree is not high enough to show much: %d levels", levels)
	}
	check("tiles are byte for byte Go's", err)

	// Nothing else is there but partial tiles of former ends that are not full yet.
	err = filepath.Walk(folder, func(file string, info os.FileInfo, err error) error {
		name, _ := filepath.Rel(folder, file)
		if err == nil && !info.IsDir() && !wanted[name] {
			whole := strings.SplitN(name, ".p/", 2)[0]
			if wanted[whole] || !strings.Contains(name, ".p/") {
				return fmt.Errorf("%s is left over", name)
			}
		}
		return err
	})
	check("no other files are there", err)

	through := tlog.TileHashReader(tree, reader{})
	for _, index := range []int64{0, 255, 256, size / 2, size - 1} {
		proof, err := tlog.ProveRecord(size, index, through)
		if err == nil {
			stored, _ := own.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
			err = tlog.CheckRecord(proof, size, tree.Hash, index, stored[0])
		}
		check(fmt.Sprintf("entry %d is proved from the tiles", index), err)
	}
	if failed > 0 {
		os.Exit(1)
	}
}
