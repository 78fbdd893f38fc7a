/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay: runs inputs through a fuzz target without a fuzzer:
 *
 *	fuzz_ip4 FILE|FOLDER...
 *
 * runs each file, and every file of each folder (in the order of their names),
 * naming each before it, so that the last name is the guilty one if the target
 * aborts. Prints how many it ran; fails if one cannot be read or there was none.
 * Without arguments it runs the target's own seeds, $FUZZ_CORPUS/ip4: that is
 * what `make check` does.
 */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "fuzz.h"

#define INPUT_MAX (1U << 20)

/* The file's bytes in a block of exactly their number, or NULL. */
static uint8_t *load(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	uint8_t *buf = f ? malloc(INPUT_MAX) : NULL, *exact = NULL;

	if (buf) {
		*len = fread(buf, 1, INPUT_MAX, f);
		exact = ferror(f) ? NULL : malloc(*len ? *len : 1);
	}
	if (exact)
		memcpy(exact, buf, *len);
	free(buf);
	if (f)
		fclose(f);
	return exact;
}

/* Each returns how many inputs were run, -1 on failure. */
static int run_file(const char *path)
{
	size_t len = 0;
	uint8_t *bytes = load(path, &len);

	if (!bytes) {
		fprintf(stderr, "replay: cannot read %s: %s\n", path, strerror(errno));
		return -1;
	}
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(bytes, len);
	free(bytes);
	return 1;
}

static int run_folder(const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort), ran = 0, one;
	char file[4096];

	if (n < 0) {
		fprintf(stderr, "replay: cannot list %s: %s\n", path, strerror(errno));
		return -1;
	}
	for (int i = 0; i < n; i++) {
		if (ran >= 0 && names[i]->d_name[0] != '.') {
			snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
			one = run_file(file);
			ran = one < 0 ? -1 : ran + one;
		}
		free(names[i]);
	}
	free(names);
	return ran;
}

static int run_own_seeds(const char *argv0)
{
	const char *corpus = getenv("FUZZ_CORPUS"), *name = strrchr(argv0, '/');
	char path[4096];

	if (!corpus)
		return 0;
	name = name ? name + 1 : argv0;
	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	snprintf(path, sizeof(path), "%s/%s", corpus, name);
	return run_folder(path);
}

int main(int argc, char **argv)
{
	int total = argc == 1 ? run_own_seeds(argv[0]) : 0, n;
	struct stat st;

	if (total < 0)
		return 1;
	for (int i = 1; i < argc; i++) {
		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			n = run_folder(argv[i]);
		else
			n = run_file(argv[i]);
		if (n < 0)
			return 1;
		total += n;
	}
	printf("%d inputs run\n", total);
	if (!total)
		fprintf(stderr, "replay: no input given\n");
	return total ? 0 : 1;
}
