package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/securecart/hub/internal/local/template/samapi"
)

// writeInline writes the code of a function that has it in the template, where CloudFormation
// puts it: a file index in a folder of its own. Node.js finds the packages beside the
// template. It returns the folder.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-code.html
func (h *Host) writeInline(f *samapi.Function, language string) (string, error) {
	if !functionName.MatchString(f.ID) {
		return "", fmt.Errorf("%q is not the logical id of a function", f.ID)
	}
	folder := filepath.Join(h.opts.Folder, f.ID+".inline")
	file, packages := filepath.Join(folder, "index.js"), filepath.Join(folder, "node_modules")
	if language == "Python" {
		file = filepath.Join(folder, "index.py")
	}
	beside, err := filepath.Abs(filepath.Join(filepath.Dir(h.opts.File), "node_modules"))
	if err == nil {
		err = os.MkdirAll(folder, 0o700)
	}
	if err == nil {
		err = os.WriteFile(file, []byte(f.Inline), 0o600)
	}
	if err == nil {
		err = os.Remove(packages) // a link, perhaps to another folder
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.Symlink(beside, packages)
	}
	if err != nil {
		return "", fmt.Errorf("write the code of %s: %w", f.ID, err)
	}
	return folder, nil
}
