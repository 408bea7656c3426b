package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Read reads files, folders with everything below, and "-" for stdin. In folders,
// files ending in .yaml, .yml and .json count; what begins with a dot is passed
// over. The error is for a path that cannot be read at all.
func Read(paths []string, stdin io.Reader) (*Input, error) {
	in := &Input{}
	for _, path := range paths {
		if path == Stdin {
			if err := in.readFrom(Stdin, stdin); err != nil {
				return nil, err
			}
			continue
		}
		files, err := filesBelow(path)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			in.Blank = append(in.Blank, fmt.Sprintf("the folder %s holds no file that ends in .yaml, .yml or .json", path))
		}
		for _, file := range files {
			if err := in.readFile(file); err != nil {
				return nil, err
			}
		}
	}
	return in, nil
}

func filesBelow(root string) ([]string, error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, fmt.Errorf("read the input: %w", err)
	}
	if !info.IsDir() {
		return []string{root}, nil
	}
	var files []string
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != root && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
		case !d.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(path))):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the folder: %w", err)
	}
	return files, nil
}

func (in *Input) readFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the input: %w", err)
	}
	return errors.Join(in.readFrom(path, f), f.Close())
}

func (in *Input) readFrom(name string, r io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(r, MaxFileBytes+1))
	switch {
	case err != nil:
		return fmt.Errorf("read %s: %w", name, err)
	case len(data) > MaxFileBytes:
		in.problem(name, 0, fmt.Errorf("it is larger than %d MiB: split it, or look at the cluster with `emrguard audit`", MaxFileBytes>>20))
		return nil
	}
	if in.bytes+len(data) > MaxInputBytes {
		in.problem(name, 0, fmt.Errorf("it was not read: the files are larger than %d MiB together: check them in parts, or look at the cluster with `emrguard audit`", MaxInputBytes>>20))
		return nil
	}
	in.bytes += len(data)
	in.Add(name, data)
	return nil
}
